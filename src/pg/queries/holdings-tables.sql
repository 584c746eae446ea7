-- The $1 largest tables of the user's own, each with how many there are in all, bytes (indexes and TOAST
-- included), and rows as the statistics have them: null when no part was ever analyzed, and at least so
-- many when some parts were not. A partitioned table is one, with all its partitions. With $2 sizes are
-- measured, which waits for who holds a table exclusively; otherwise they are those of the statistics.
WITH part AS (
       SELECT CASE WHEN c.relkind = 'p' OR c.relispartition
                   THEN coalesce(pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid, c.oid)
                   ELSE c.oid END AS root,
              c.relkind = 'p' AS is_parent,
              c.reltuples,
              CASE WHEN c.relkind IN ('p', 'f') THEN 0
                   WHEN $2::boolean THEN pg_catalog.pg_total_relation_size(c.oid)
                   ELSE (c.relpages + coalesce(t.relpages, 0)
                         + coalesce((SELECT pg_catalog.sum(i.relpages)
                                       FROM pg_catalog.pg_index x
                                       JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
                                      WHERE x.indrelid IN (c.oid, t.oid)), 0))::bigint
                        * pg_catalog.current_setting('block_size')::bigint END AS bytes,
              CASE WHEN NOT $2::boolean OR c.relkind <> 'r' OR pg_catalog.pg_relation_size(c.oid) > 0
                   THEN c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0)
                   ELSE false END AS unknown
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
        WHERE c.relkind IN ('r', 'p', 'f')
          AND n.nspname <> 'information_schema'
          AND n.nspname !~ '^pg_'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                             AND d.objid = c.oid AND d.deptype = 'e'))
SELECT pg_catalog.count(*) OVER (),
       CASE WHEN n.nspname = 'public' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END
         || pg_catalog.quote_ident(c.relname) AS name,
       coalesce(pg_catalog.sum(p.bytes), 0)::bigint AS bytes,
       CASE WHEN pg_catalog.bool_and(p.unknown) FILTER (WHERE NOT p.is_parent) THEN NULL
            ELSE coalesce(pg_catalog.sum(greatest(p.reltuples, 0)::double precision)
                            FILTER (WHERE NOT p.is_parent), 0)::bigint END AS rows,
       coalesce(pg_catalog.bool_or(p.unknown) FILTER (WHERE NOT p.is_parent), false) AS at_least
  FROM part p
  JOIN pg_catalog.pg_class c ON c.oid = p.root
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 GROUP BY n.nspname, c.relname
 ORDER BY bytes DESC, name
 LIMIT $1::integer
