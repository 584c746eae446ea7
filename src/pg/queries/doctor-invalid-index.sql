-- Indexes that the planner does not use, or that are not kept up. One that somebody builds or drops right
-- now has its table locked against other such work; pg_locks shows that to everybody. Rebuilding a unique one
-- fails while there are duplicates, and leaves a second index behind: the last column says what to do first.
SELECT CASE WHEN busy.pid IS NULL THEN 'error' ELSE 'info' END,
       format('%I.%I', n.nspname, c.relname),
       CASE WHEN busy.pid IS NOT NULL
            THEN format('is not valid yet: process %s is at work on %I.%I', busy.pid, n.nspname, t.relname)
            WHEN c.relkind = 'I'
            THEN format('is not valid: not every partition of %I.%I has its part of the index', n.nspname, t.relname)
            ELSE format('is not valid: %I.%I pays for it with each write and no query uses it%s',
                        n.nspname, t.relname,
                        CASE WHEN x.indisunique THEN '; it does not hold rows unique' ELSE '' END) END,
       CASE WHEN busy.pid IS NOT NULL THEN NULL
            WHEN c.relkind = 'I' OR (x.indisunique AND NOT is_leftover) THEN NULL
            WHEN is_leftover
            THEN format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, c.relname)
            ELSE format('REINDEX INDEX CONCURRENTLY %I.%I;', n.nspname, c.relname) END,
       CASE WHEN busy.pid IS NOT NULL THEN NULL
            WHEN c.relkind = 'I'
            THEN format('Make an index on each partition that has none, and attach it: ALTER INDEX %I.%I ATTACH PARTITION ...;',
                        n.nspname, c.relname)
            WHEN x.indisunique AND NOT is_leftover
            THEN format('Remove the rows that are the same in %s first, then REINDEX INDEX CONCURRENTLY %I.%I; while there '
                        'are such rows it fails and leaves an invalid %I behind, for DROP INDEX CONCURRENTLY.',
                        listed, n.nspname, c.relname, c.relname || '_ccnew') END
  FROM pg_catalog.pg_index x
  JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN LATERAL (
       SELECT min(l.pid) AS pid
         FROM pg_catalog.pg_locks l
        WHERE l.locktype = 'relation' AND l.relation = t.oid AND l.granted
          AND l.database = (SELECT oid FROM pg_catalog.pg_database
                             WHERE datname = pg_catalog.current_database())
          AND l.mode = 'ShareUpdateExclusiveLock') busy ON true
 CROSS JOIN LATERAL (
       SELECT c.relname ~ '_cc(new|old)[0-9]*$' AS is_leftover,
              (SELECT string_agg(pg_catalog.pg_get_indexdef(x.indexrelid, number, false), ', ' ORDER BY number)
                 FROM generate_series(1, x.indnkeyatts::int) number) AS listed) l
 WHERE NOT (x.indisvalid AND x.indisready AND x.indislive)
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
