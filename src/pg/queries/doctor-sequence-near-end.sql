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
       SELECT fed.sequence AS id, fed.relation, a.attname, a.attinhcount, a.attlen, a.atttypid, integers.base,
              'bigint'::text AS wanted
         FROM fed
         JOIN pg_catalog.pg_attribute a ON a.attrelid = fed.relation AND a.attnum = fed.number
         JOIN integers ON integers.oid = a.atttypid),
\ir part/column-obstacles.sql
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
               WHERE narrow.id = c.oid
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
                        CASE WHEN obstacles.count > 1 THEN 'they were' ELSE 'it was' END) END
  FROM used
  LEFT JOIN widened w ON w.id = used.oid
  LEFT JOIN barred ON barred.id = used.oid
  LEFT JOIN obstacles ON obstacles.id = used.oid
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
