-- Foreign keys whose referencing columns no index begins with, in whatever order: each DELETE or change
-- of a key in the referenced table reads the referencing one from end to end. A partial index counts when
-- it leaves out nothing but NULL, and a GiST one does for keys over time (WITHOUT OVERLAPS). One that is NOT
-- ENFORCED reads nothing; both are from 18 on, hence jsonb. Where there is one that is not valid, that is to be
-- mended, and no other to be made; what a failed REINDEX CONCURRENTLY has left behind does not count.
SELECT 'warning',
       format('%I.%I (%I)', n.nspname, t.relname, k.conname),
       format('no %sindex begins with %s: a DELETE in %I.%I reads the whole table%s',
              CASE WHEN found.name IS NOT NULL THEN 'valid ' ELSE '' END, names.listed,
              rn.nspname, r.relname,
              CASE WHEN t.reltuples >= 1000
                   THEN format(', some %s rows', t.reltuples::bigint) ELSE '' END),
       CASE WHEN found.name IS NULL
            THEN format('CREATE INDEX %sON %I.%I (%s);',
                        CASE WHEN t.relkind = 'p' THEN '' ELSE 'CONCURRENTLY ' END,
                        n.nspname, t.relname, names.listed) END,
       CASE WHEN found.name IS NOT NULL
            THEN format('The index %I.%I would do, and is not valid: what invalid-index says of it mends this too.',
                        n.nspname, found.name) END
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
 CROSS JOIN LATERAL (
       SELECT string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.place) AS listed,
              string_agg(pg_catalog.quote_ident(a.attname), '' ORDER BY u.place) AS single
         FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) names
  LEFT JOIN LATERAL (
       SELECT c.relname AS name, x.indisvalid AND x.indisready AS is_usable
         FROM pg_catalog.pg_index x
         JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
         JOIN pg_catalog.pg_am m ON m.oid = c.relam
        WHERE x.indrelid = k.conrelid
          AND (x.indisvalid AND x.indisready OR c.relname !~ '_cc(new|old)[0-9]*$')
          AND m.amname IN ('btree', 'hash', 'gist')
          AND x.indnkeyatts >= cardinality(k.conkey)
          AND (x.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
          AND (x.indkey::int2[])[0:cardinality(k.conkey) - 1] <@ k.conkey
          AND (x.indpred IS NULL OR (cardinality(k.conkey) = 1 AND
               pg_catalog.pg_get_expr(x.indpred, x.indrelid) = '(' || names.single || ' IS NOT NULL)'))
        ORDER BY is_usable DESC, c.relname
        LIMIT 1) found ON true
 WHERE k.contype = 'f' AND k.conparentid = 0 AND t.relpersistence <> 't'
   AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND found.is_usable IS NOT TRUE
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY n.nspname, t.relname, k.conname
