-- Sequences of which $1 (warning) or $2 (error) per cent are used up, counted to where the sequence or the
-- narrowest integer column fed by it ends, whichever comes first; those that begin again do not end. A
-- standby knows no value of an unlogged one. A column's type is changed where it comes from, at the top of its
-- inheritance; what would keep the server from changing it is named instead. The last column is what to do
-- where no SQL does it.
WITH RECURSIVE integers AS (
       SELECT t.oid, t.oid AS base, t.typlen
         FROM pg_catalog.pg_type t
        WHERE t.oid IN ('pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype)
       UNION
       SELECT t.oid, integers.base, t.typlen
         FROM integers
         JOIN pg_catalog.pg_type t ON t.typbasetype = integers.oid AND t.typtype = 'd'),
     fed AS (
       SELECT d.refobjid AS sequence, ad.adrelid AS relation, ad.adnum AS number
         FROM pg_catalog.pg_depend d
         JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
       UNION
       SELECT d.objid, d.refobjid, d.refobjsubid
         FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
          AND d.deptype = 'i' AND d.refobjsubid > 0),
     narrow AS (
       SELECT fed.sequence, fed.relation, a.attname, a.attinhcount, a.attlen, a.atttypid, integers.base
         FROM fed
         JOIN pg_catalog.pg_attribute a ON a.attrelid = fed.relation AND a.attnum = fed.number
         JOIN integers ON integers.oid = a.atttypid),
     above AS (
       SELECT sequence, relation, attname, attinhcount FROM narrow
       UNION
       SELECT above.sequence, a.attrelid, a.attname, a.attinhcount
         FROM above
         JOIN pg_catalog.pg_inherits i ON i.inhrelid = above.relation
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.inhparent AND a.attname = above.attname
        WHERE above.attinhcount > 0),
     changed AS (
       SELECT sequence, relation, attname FROM above WHERE attinhcount = 0
       UNION
       SELECT changed.sequence, i.inhrelid, changed.attname
         FROM changed
         JOIN pg_catalog.pg_inherits i ON i.inhparent = changed.relation),
     users AS (
       SELECT c.sequence, c.relation, a.attname, a.attnum, a.atttypid, d.*, a.attinhcount
         FROM changed c
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.relation AND a.attname = c.attname
         LEFT JOIN pg_catalog.pg_depend d
           ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.relation
          AND d.refobjsubid = a.attnum),
     -- A view stands for the rule that makes it; before 15 it is a generated column itself that depends, not
     -- its expression.
     direct AS (
       SELECT sequence, o.classid, o.objid, o.objsubid
         FROM users
         LEFT JOIN pg_catalog.pg_attrdef ad
           ON users.classid = 'pg_catalog.pg_attrdef'::regclass AND ad.oid = users.objid
         LEFT JOIN pg_catalog.pg_rewrite w
           ON users.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = users.objid
         LEFT JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
        CROSS JOIN LATERAL (
              SELECT CASE WHEN ad.oid IS NOT NULL OR v.oid IS NOT NULL
                          THEN 'pg_catalog.pg_class'::regclass::oid ELSE users.classid END,
                     coalesce(ad.adrelid, v.oid, users.objid),
                     coalesce(ad.adnum::int, users.objsubid)) o (classid, objid, objsubid)
        WHERE users.classid IN ('pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_trigger'::regclass,
                                'pg_catalog.pg_policy'::regclass, 'pg_catalog.pg_proc'::regclass,
                                'pg_catalog.pg_publication_rel'::regclass)
           OR (ad.oid IS NOT NULL AND (ad.adrelid, ad.adnum) <> (users.relation, users.attnum))
           OR (users.classid = 'pg_catalog.pg_class'::regclass
               AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
                            WHERE a.attrelid = users.objid AND a.attnum = users.objsubid AND a.attgenerated <> ''))),
     -- And what keeps those from being dropped, by itself or by their row type. Rules can go in circles.
     in_the_way AS (
       SELECT sequence, classid, objid, objsubid, 0 AS depth FROM direct
       UNION
       SELECT b.sequence, o.classid, o.objid, o.objsubid, b.depth + 1
         FROM in_the_way b
         LEFT JOIN pg_catalog.pg_class c
           ON b.classid = 'pg_catalog.pg_class'::regclass AND b.objsubid = 0 AND c.oid = b.objid
         LEFT JOIN pg_catalog.pg_type t ON t.oid = c.reltype
        CROSS JOIN LATERAL (VALUES (b.classid, b.objid, b.objsubid),
                                   ('pg_catalog.pg_type'::regclass::oid, t.oid, 0),
                                   ('pg_catalog.pg_type'::regclass::oid, t.typarray, 0)) r (classid, objid, objsubid)
         JOIN pg_catalog.pg_depend d
           ON d.refclassid = r.classid AND d.refobjid = r.objid AND (r.objsubid = 0 OR d.refobjsubid = r.objsubid)
          AND d.deptype = 'n'
         LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
         LEFT JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
        CROSS JOIN LATERAL (
              SELECT CASE WHEN v.oid IS NOT NULL THEN 'pg_catalog.pg_class'::regclass::oid ELSE d.classid END,
                     coalesce(v.oid, d.objid),
                     CASE WHEN v.oid IS NOT NULL THEN 0 ELSE d.objsubid END) o (classid, objid, objsubid)
        WHERE b.depth < 50 AND (o.classid, o.objid, o.objsubid) <> (b.classid, b.objid, b.objsubid)),
     -- The columns of a partition key, expressions too, depend on their table.
     fixed AS (
       SELECT users.sequence,
              CASE WHEN is_key THEN 'is in its partition key'
                   WHEN users.attinhcount > 1 THEN 'comes from several tables'
                   WHEN t.reloftype <> 0 THEN 'comes from the table''s type'
                   WHEN in_row THEN 'is part of the row type that a column of another table has' END AS why,
              pg_catalog.format_type(users.atttypid, NULL) AS domain,
              format('%I.%I.%I', n.nspname, t.relname, users.attname) AS what
         FROM users
         JOIN pg_catalog.pg_class t ON t.oid = users.relation
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        CROSS JOIN LATERAL (
              SELECT EXISTS (SELECT FROM pg_catalog.pg_depend d
                              WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = users.relation
                                AND d.objsubid = users.attnum AND d.refclassid = 'pg_catalog.pg_class'::regclass
                                AND d.refobjid = users.relation AND d.refobjsubid = 0
                                AND d.deptype = 'i') AS is_key,
                     EXISTS (SELECT FROM pg_catalog.pg_attribute a
                              WHERE a.atttypid = t.reltype AND a.attnum > 0 AND NOT a.attisdropped) AS in_row) k
        WHERE is_key OR users.attinhcount > 1 OR t.reloftype <> 0 OR in_row
           OR EXISTS (SELECT FROM integers WHERE integers.oid = users.atttypid AND integers.base <> integers.oid)),
     widened AS (
       SELECT sequence,
              string_agg(DISTINCT format('ALTER TABLE %I.%I ALTER COLUMN %I TYPE bigint;', n.nspname, t.relname,
                                         above.attname), ' ') AS columns
         FROM above
         JOIN pg_catalog.pg_class t ON t.oid = above.relation
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        WHERE above.attinhcount = 0
        GROUP BY sequence),
     one AS (
       SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement > 0 AS ascends,
              s.seqstart, s.seqmin, s.seqmax, narrow.in_table, narrow.in_column, narrow.type, narrow.shown,
              pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AS may_see,
              CASE WHEN s.seqincrement < 0 THEN s.seqmin::numeric
                   ELSE least(s.seqmax, CASE narrow.type WHEN 'smallint' THEN 32767
                                                         WHEN 'integer' THEN 2147483647 END)::numeric END AS ends,
              CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE')
                    AND (c.relpersistence = 'p' OR NOT pg_catalog.pg_is_in_recovery())
                   THEN pg_catalog.pg_sequence_last_value(c.oid) END::numeric AS last
         FROM pg_catalog.pg_sequence s
         JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN LATERAL (
              SELECT format('%I.%I', tn.nspname, t.relname) AS in_table,
                     pg_catalog.quote_ident(narrow.attname) AS in_column,
                     CASE narrow.attlen WHEN 2 THEN 'smallint' ELSE 'integer' END AS type,
                     concat(pg_catalog.format_type(narrow.atttypid, NULL),
                            CASE WHEN narrow.atttypid <> narrow.base
                                 THEN ', a domain over ' || pg_catalog.format_type(narrow.base, NULL) END) AS shown
                FROM narrow
                JOIN pg_catalog.pg_class t ON t.oid = narrow.relation
                JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
               WHERE narrow.sequence = c.oid
               ORDER BY narrow.attlen, 1, 2 LIMIT 1) narrow ON true
        WHERE NOT s.seqcycle AND c.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                             AND d.deptype = 'e')),
     used AS (
       SELECT one.*, round(100 * (last - begins) / nullif(ends - begins, 0), 1) AS percent
         FROM one
        CROSS JOIN LATERAL (SELECT CASE WHEN ascends THEN greatest(seqmin, least(seqstart, 1))
                                        ELSE least(seqmax, greatest(seqstart, -1)) END AS begins) b)
SELECT CASE WHEN percent >= $2::numeric THEN 'error' ELSE 'warning' END,
       name,
       format('is at %s of %s (%s %%): %s', last, ends, percent,
              CASE WHEN ends < seqmax AND ascends
                   THEN format('inserts into %s.%s, which is %s, then fail', in_table, in_column, shown)
                   ELSE 'nextval() then fails' END),
       CASE WHEN fixed.what IS NULL AND obstacles.what IS NULL THEN nullif(concat_ws(' ', columns, wide), '') END,
       CASE WHEN fixed.why IS NOT NULL
            THEN format('The type of %s cannot be changed, as it %s: it takes a new table with a bigint column, or values '
                        'that are free again.', fixed.what, fixed.why)
            WHEN fixed.what IS NOT NULL
            THEN format('The type of %s is the domain %s, which stays as narrow as it is: it takes a domain over bigint '
                        'with the same constraints, and ALTER TABLE ... ALTER COLUMN ... TYPE to that.', fixed.what,
                        fixed.domain)
            WHEN obstacles.what IS NOT NULL
            THEN format('Drop %s, which would be in the way, then %s and make %s again as %s.', obstacles.what,
                        concat_ws(' ', columns, wide),
                        CASE WHEN obstacles.count > 1 THEN 'them' ELSE 'it' END,
                        CASE WHEN obstacles.count > 1 THEN 'they were' ELSE 'it was' END) END
  FROM used
  LEFT JOIN widened w ON w.sequence = used.oid
  LEFT JOIN LATERAL (SELECT f.what, f.why, f.domain FROM fixed f
                      WHERE f.sequence = used.oid ORDER BY f.why, 1 LIMIT 1) fixed ON true
  -- What depends on another one is to be dropped before it.
  LEFT JOIN LATERAL (
       SELECT string_agg(i.what, ', ' ORDER BY i.depth DESC, i.what) AS what, count(*) AS count
         FROM (SELECT CASE WHEN a.attgenerated <> ''
                           THEN format('generated column %I of %s', a.attname, a.attrelid::regclass)
                           ELSE pg_catalog.pg_describe_object(w.classid, w.objid, w.objsubid) END AS what,
                      max(w.depth) AS depth
                 FROM in_the_way w
                 LEFT JOIN pg_catalog.pg_attribute a
                   ON w.classid = 'pg_catalog.pg_class'::regclass AND a.attrelid = w.objid AND a.attnum = w.objsubid
                WHERE w.sequence = used.oid
                GROUP BY 1) i) obstacles ON true
 CROSS JOIN LATERAL (
       SELECT CASE WHEN ascends AND seqmax < 9223372036854775807
                   THEN format('ALTER SEQUENCE %s AS bigint NO MAXVALUE;', name)
                   WHEN NOT ascends AND seqmin > -9223372036854775808
                   THEN format('ALTER SEQUENCE %s AS bigint NO MINVALUE;', name) END AS wide) fix
 WHERE percent >= $1::numeric
UNION ALL
SELECT 'unseen', NULL,
       format('the role may not read %s sequence%s (%s%s)', count(*),
              CASE WHEN count(*) > 1 THEN 's' ELSE '' END, min(name),
              CASE WHEN count(*) > 1 THEN ' and others' ELSE '' END), NULL, NULL
  FROM one WHERE NOT may_see HAVING count(*) > 0
 ORDER BY 2
