-- Prepared transactions that nobody has ended for $1 seconds: they outlive sessions and restarts. Only
-- who coordinates them knows how they are to end.
SELECT 'warning',
       pg_catalog.quote_literal(x.gid),
       format('was prepared by %I in %I %s min ago and is open since: its locks stay, VACUUM waits for it',
              x.owner, x.database,
              (extract(epoch FROM pg_catalog.clock_timestamp() - x.prepared) / 60)::bigint),
       NULL,
       format('Ask its coordinator whether it was committed elsewhere; then, connected to the database %I: '
              'COMMIT PREPARED %L; or ROLLBACK PREPARED %L;', x.database, x.gid, x.gid)
  FROM pg_catalog.pg_prepared_xacts x
 WHERE x.prepared < pg_catalog.clock_timestamp() - $1::float8 * interval '1 second'
 ORDER BY x.gid
