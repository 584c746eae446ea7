-- Sequences of which $1 (warning) or $2 (error) per cent are used up, counted to where the sequence or the
-- narrowest integer column fed by it ends, whichever comes first; those that begin again do not end. A
-- standby knows no value of an unlogged one.
WITH fed AS (
       SELECT d.refobjid AS sequence, ad.adrelid AS relation, ad.adnum AS number
         FROM pg_catalog.pg_depend d
         JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
       UNION
       SELECT d.objid, d.refobjid, d.refobjsubid
         FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
          AND d.deptype = 'i' AND d.refobjsubid > 0),
     one AS (
       SELECT format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement > 0 AS ascends,
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
                     pg_catalog.quote_ident(a.attname) AS in_column,
                     pg_catalog.format_type(a.atttypid, NULL) AS type
                FROM fed
                JOIN pg_catalog.pg_class t ON t.oid = fed.relation
                JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = fed.number
               WHERE fed.sequence = c.oid
                 AND a.atttypid IN ('pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype)
               ORDER BY a.attlen, 1, 2 LIMIT 1) narrow ON true
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
       CASE WHEN in_table IS NOT NULL
            THEN format('ALTER TABLE %s ALTER COLUMN %s TYPE bigint; ALTER SEQUENCE %s AS bigint;',
                        in_table, in_column, name)
            WHEN ascends AND seqmax < 9223372036854775807
            THEN format('ALTER SEQUENCE %s AS bigint NO MAXVALUE;', name)
            WHEN NOT ascends AND seqmin > -9223372036854775808
            THEN format('ALTER SEQUENCE %s AS bigint NO MINVALUE;', name) END
  FROM used
 WHERE percent >= $1::numeric
UNION ALL
SELECT 'unseen', NULL,
       format('the role may not read %s sequence%s (%s%s)', count(*),
              CASE WHEN count(*) > 1 THEN 's' ELSE '' END, min(name),
              CASE WHEN count(*) > 1 THEN ' and others' ELSE '' END), NULL
  FROM one WHERE NOT may_see HAVING count(*) > 0
 ORDER BY 2
