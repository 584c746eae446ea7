-- Indexes that are the same as another one of their table, down to operator classes with their parameters,
-- and order. What a primary key, a foreign key, the replica identity, a partitioned index or uniqueness needs
-- stays, and a UNIQUE constraint goes only for another one or a primary key; a unique index goes only for
-- one that holds the same rows unique (NULLS NOT DISTINCT is from 15 on, hence jsonb), and as soon (not at the
-- end of the transaction). Of two equals the one without a statistics target is named, else the newer one.
WITH indexes AS (
       SELECT x.*, c.relname, c.relam, n.nspname, t.relname AS in_table,
              pg_catalog.pg_get_expr(x.indexprs, x.indrelid) AS expressions,
              pg_catalog.pg_get_expr(x.indpred, x.indrelid) AS predicate,
              coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
              (SELECT pg_catalog.array_agg(l.attoptions::text ORDER BY l.attnum)
                 FROM pg_catalog.pg_attribute l WHERE l.attrelid = c.oid) AS parameters,
              CASE WHEN m.amname IN ('btree', 'hash', 'gist', 'gin', 'spgist') THEN NULL ELSE c.reloptions::text END
                 AS storage,
              EXISTS (SELECT FROM pg_catalog.pg_attribute l
                       WHERE l.attrelid = c.oid AND l.attstattarget >= 0) AS has_target,
              k.conname,
              coalesce(k.contype <> 'u', false) OR x.indisreplident OR x.indisclustered OR c.relispartition
              OR EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.conindid = c.oid AND f.contype = 'f') AS is_needed
         FROM pg_catalog.pg_index x
         JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
         JOIN pg_catalog.pg_am m ON m.oid = c.relam
         JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
         LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = c.oid AND k.conrelid = t.oid AND k.contype <> 'f'
        WHERE x.indisvalid AND c.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = t.oid
                             AND d.deptype = 'e'))
SELECT DISTINCT ON (a.indexrelid) 'warning',
       format('%I.%I', a.nspname, a.relname),
       format('indexes the same as %I, both of %I.%I: each write pays twice', b.relname, a.nspname, a.in_table),
       CASE WHEN a.conname IS NOT NULL
            THEN format('ALTER TABLE %I.%I DROP CONSTRAINT %I;', a.nspname, a.in_table, a.conname)
            ELSE format('DROP INDEX %s%I.%I;',
                        CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class t WHERE t.oid = a.indrelid AND t.relkind = 'p')
                             THEN '' ELSE 'CONCURRENTLY ' END, a.nspname, a.relname) END,
       CASE WHEN a.conname IS NOT NULL
            THEN 'An INSERT with ON CONFLICT ON CONSTRAINT that names it is to name the other one.' END
  FROM indexes a
  JOIN indexes b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid AND b.relam = a.relam
   AND b.indkey::text = a.indkey::text AND b.indnkeyatts = a.indnkeyatts
   AND b.indclass::text = a.indclass::text AND b.indcollation::text = a.indcollation::text
   AND b.indoption::text = a.indoption::text
   AND b.parameters = a.parameters AND b.storage IS NOT DISTINCT FROM a.storage
   AND b.expressions IS NOT DISTINCT FROM a.expressions
   AND b.predicate IS NOT DISTINCT FROM a.predicate
 WHERE NOT a.is_needed
   AND (NOT a.indisunique OR (b.indisunique AND b.indimmediate AND b.nulls_not_distinct = a.nulls_not_distinct))
   AND (b.is_needed, b.conname IS NOT NULL, b.indisunique, b.indimmediate, b.has_target, a.indexrelid)
       > (a.is_needed, a.conname IS NOT NULL, a.indisunique, a.indimmediate, a.has_target, b.indexrelid)
 ORDER BY a.indexrelid, b.is_needed DESC, b.conname IS NULL, b.indexrelid
