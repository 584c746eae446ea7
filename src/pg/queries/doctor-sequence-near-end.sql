-- Sequences of which $1 (warning) or $2 (error) per cent are used up, counted to where the sequence or the
-- narrowest integer column fed by it ends, whichever comes first; those that begin again do not end. A
-- standby knows no value of an unlogged one. A column's type is changed where it comes from, at the top of its
-- inheritance; what would keep the server from changing it is named instead.
WITH RECURSIVE fed AS (
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
       SELECT fed.sequence, fed.relation, a.attname, a.attinhcount, a.attlen
         FROM fed
         JOIN pg_catalog.pg_attribute a ON a.attrelid = fed.relation AND a.attnum = fed.number
        WHERE a.atttypid IN ('pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype)),
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
       SELECT c.sequence, c.relation, a.attname, a.attnum, d.*, a.attinhcount
         FROM changed c
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.relation AND a.attname = c.attname
         LEFT JOIN pg_catalog.pg_depend d
           ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.relation
          AND d.refobjsubid = a.attnum),
     in_the_way AS (
       SELECT sequence, pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, w.ev_class, 0) AS what
         FROM users
         JOIN pg_catalog.pg_rewrite w ON users.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = users.objid
       UNION
       SELECT sequence, pg_catalog.pg_describe_object(classid, objid, objsubid)
         FROM users
        WHERE classid IN ('pg_catalog.pg_trigger'::regclass, 'pg_catalog.pg_policy'::regclass,
                          'pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_publication_rel'::regclass)
       UNION
       SELECT users.sequence, format('generated column %I of %s', a.attname, users.relation::regclass)
         FROM users
         JOIN pg_catalog.pg_attrdef ad ON users.classid = 'pg_catalog.pg_attrdef'::regclass AND ad.oid = users.objid
         JOIN pg_catalog.pg_attribute a ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
        WHERE a.attname <> users.attname
       UNION
       -- Before 15 it is the column itself that depends, not its expression.
       SELECT users.sequence, format('generated column %I of %s', a.attname, users.relation::regclass)
         FROM users
         JOIN pg_catalog.pg_attribute a ON users.classid = 'pg_catalog.pg_class'::regclass
          AND a.attrelid = users.objid AND a.attnum = users.objsubid AND a.attgenerated <> ''),
     -- The columns of a partition key, expressions too, depend on their table.
     fixed AS (
       SELECT users.sequence,
              CASE WHEN is_key THEN 'is in its partition key'
                   WHEN users.attinhcount > 1 THEN 'comes from several tables'
                   WHEN t.reloftype <> 0 THEN 'comes from the table''s type'
                   ELSE 'is part of the row type that a column of another table has' END AS why,
              format('%I.%I.%I', n.nspname, t.relname, users.attname) AS what
         FROM users
         JOIN pg_catalog.pg_class t ON t.oid = users.relation
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        CROSS JOIN LATERAL (
              SELECT EXISTS (SELECT FROM pg_catalog.pg_depend d
                              WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = users.relation
                                AND d.objsubid = users.attnum AND d.refclassid = 'pg_catalog.pg_class'::regclass
                                AND d.refobjid = users.relation AND d.refobjsubid = 0
                                AND d.deptype = 'i') AS is_key) k
        WHERE is_key OR users.attinhcount > 1 OR t.reloftype <> 0
           OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                       WHERE a.atttypid = t.reltype AND a.attnum > 0 AND NOT a.attisdropped)),
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
              s.seqstart, s.seqmin, s.seqmax, narrow.in_table, narrow.in_column, narrow.type,
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
                     CASE narrow.attlen WHEN 2 THEN 'smallint' ELSE 'integer' END AS type
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
                   THEN format('inserts into %s.%s, which is %s, then fail', in_table, in_column, type)
                   ELSE 'nextval() then fails' END),
       CASE WHEN fixed.what IS NOT NULL
            THEN format('The type of %s cannot be changed, as it %s: it takes a new table with a bigint column, or values '
                        'that are free again.', fixed.what, fixed.why)
            WHEN obstacles.what IS NOT NULL
            THEN format('Drop %s, which would be in the way, then %s and make it again as it was.', obstacles.what,
                        concat_ws(' ', columns, wide))
            ELSE nullif(concat_ws(' ', columns, wide), '') END
  FROM used
  LEFT JOIN widened w ON w.sequence = used.oid
  LEFT JOIN LATERAL (SELECT f.what, f.why FROM fixed f WHERE f.sequence = used.oid ORDER BY 1 LIMIT 1) fixed ON true
  LEFT JOIN LATERAL (SELECT string_agg(i.what, ', ' ORDER BY i.what) AS what
                       FROM in_the_way i WHERE i.sequence = used.oid) obstacles ON true
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
              CASE WHEN count(*) > 1 THEN ' and others' ELSE '' END), NULL
  FROM one WHERE NOT may_see HAVING count(*) > 0
 ORDER BY 2
