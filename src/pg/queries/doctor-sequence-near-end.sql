-- Sequences of which $1 (warning) or $2 (error) per cent are used up, counted to where the sequence or the
-- narrowest integer columns fed by it end, whichever comes first; those that begin again do not end. Where the
-- columns have room the sequence alone is changed. A
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
       SELECT fed.sequence AS id, fed.relation, a.attname, a.attinhcount, a.attlen, a.atttypid, integers.base,
              'bigint'::text AS wanted
         FROM fed
         JOIN pg_catalog.pg_attribute a ON a.attrelid = fed.relation AND a.attnum = fed.number
         JOIN integers ON integers.oid = a.atttypid),
\ir part/column-obstacles.sql
     one AS (
       SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement > 0 AS ascends,
              s.seqstart, s.seqmin, s.seqmax, s.seqtypid, narrow.fed, narrow.type, narrow.room,
              pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AS may_see,
              CASE WHEN s.seqincrement < 0 THEN greatest(s.seqmin, narrow.room)
                   ELSE least(s.seqmax, narrow.room) END::numeric AS ends,
              CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE')
                    AND (c.relpersistence = 'p' OR NOT pg_catalog.pg_is_in_recovery())
                   THEN pg_catalog.pg_sequence_last_value(c.oid) END::numeric AS last
         FROM pg_catalog.pg_sequence s
         JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN LATERAL (
              SELECT min(type) AS type,
                     CASE min(type) WHEN 'smallint' THEN CASE WHEN s.seqincrement > 0 THEN 32767 ELSE -32768 END
                                    WHEN 'integer' THEN CASE WHEN s.seqincrement > 0 THEN 2147483647
                                                             ELSE -2147483648 END END AS room,
                     string_agg(fed, ', and ' ORDER BY fed) AS fed
                FROM (SELECT CASE narrow.attlen WHEN 2 THEN 'smallint' ELSE 'integer' END AS type,
                             concat(format('%I.%I.%I, which is ', tn.nspname, t.relname, narrow.attname),
                                    pg_catalog.format_type(narrow.atttypid, NULL),
                                    CASE WHEN narrow.atttypid <> narrow.base
                                         THEN ', a domain over ' || pg_catalog.format_type(narrow.base, NULL) END) AS fed,
                             rank() OVER (ORDER BY narrow.attlen, narrow.attinhcount > 0) AS rank
                        FROM narrow
                        JOIN pg_catalog.pg_class t ON t.oid = narrow.relation
                        JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                       WHERE narrow.id = c.oid) columns
               WHERE rank = 1) narrow ON true
        WHERE NOT s.seqcycle AND c.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                             AND d.deptype = 'e')),
     used AS (
       SELECT one.*, round(100 * (last - begins) / nullif(ends - begins, 0), 1) AS percent,
              coalesce(100 * (last - begins) / nullif(room - begins, 0) < $1::numeric, false) AS has_room
         FROM one
        CROSS JOIN LATERAL (SELECT CASE WHEN ascends THEN greatest(seqmin, least(seqstart, 1))
                                        ELSE least(seqmax, greatest(seqstart, -1)) END AS begins) b)
SELECT CASE WHEN percent >= $2::numeric THEN 'error' ELSE 'warning' END,
       name,
       format('is at %s of %s (%s %%): %s', last, ends, percent,
              CASE WHEN ends <> CASE WHEN ascends THEN seqmax ELSE seqmin END
                   THEN format('inserts into %s, then fail', fed)
                   ELSE 'nextval() then fails' END),
       CASE WHEN barred.what IS NULL AND obstacles.what IS NULL THEN nullif(concat_ws(' ', columns, wide), '') END,
       CASE WHEN barred.why IS NOT NULL
            THEN format('The type of %s cannot be changed, as it %s: it takes a new table with a bigint column, or values '
                        'that are free again.', barred.what, barred.why)
            WHEN barred.what IS NOT NULL
            THEN format('The type of %s is the domain %s, which stays as narrow as it is: it takes a domain over bigint '
                        'with the same constraints, and ALTER TABLE ... ALTER COLUMN ... TYPE to that.', barred.what,
                        barred.domain)
            WHEN obstacles.what IS NOT NULL
            THEN format('Drop %s, which would be in the way, then %s and make %s again as %s.', obstacles.what,
                        concat_ws(' ', columns, wide),
                        CASE WHEN obstacles.count > 1 THEN 'them' ELSE 'it' END,
                        CASE WHEN obstacles.count > 1 THEN 'they were' ELSE 'it was' END)
            WHEN columns IS NOT NULL
            THEN 'Changing the type rewrites the table under an ACCESS EXCLUSIVE lock: until that is done nobody reads or '
                 'writes it.' END
  FROM used
  LEFT JOIN widened w ON w.id = used.oid AND NOT has_room
  LEFT JOIN barred ON barred.id = used.oid AND NOT has_room
  LEFT JOIN obstacles ON obstacles.id = used.oid AND NOT has_room
 CROSS JOIN LATERAL (
       SELECT CASE WHEN has_room
                   THEN format('ALTER SEQUENCE %s%s %s %s;', name,
                               CASE WHEN seqtypid = 'pg_catalog.int2'::regtype AND type = 'integer' THEN ' AS integer' END,
                               CASE WHEN ascends THEN 'MAXVALUE' ELSE 'MINVALUE' END, room)
                   WHEN ascends AND seqmax < 9223372036854775807
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
