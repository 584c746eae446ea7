-- How many of the connections that ordinary roles may have are in use, on the server, in this database and
-- by this role: $1 per cent are a warning, $2 an error. $3: the target. Of other roles' sessions a role
-- without pg_read_all_stats sees no kind, but all that are in a database. Superusers take those that ordinary
-- roles may have first, and what is reserved for them only then.
WITH sessions AS (
       SELECT a.datname, a.usename FROM pg_catalog.pg_stat_activity a
        WHERE a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.datid IS NOT NULL)),
     limits (object, used, allowed, fix, note) AS (
       SELECT 'server', (SELECT count(*) FROM sessions),
              pg_catalog.current_setting('max_connections')::bigint
              - pg_catalog.current_setting('superuser_reserved_connections')::bigint
              - coalesce(pg_catalog.current_setting('reserved_connections', true)::bigint, 0),
              NULL, format('db-sessions %s says who has them.', $3::text)
       UNION ALL
       SELECT format('database %I', datname),
              (SELECT count(*) FROM sessions s WHERE s.datname = d.datname), datconnlimit,
              format('ALTER DATABASE %I CONNECTION LIMIT %s;', datname,
                     CASE datconnlimit WHEN 0 THEN -1 ELSE 2 * datconnlimit END), NULL
         FROM pg_catalog.pg_database d
        WHERE datname = pg_catalog.current_database() AND datconnlimit >= 0
       UNION ALL
       SELECT format('role %I', rolname),
              (SELECT count(*) FROM sessions s WHERE s.usename = r.rolname), rolconnlimit,
              format('ALTER ROLE %I CONNECTION LIMIT %s;', rolname, 2 * rolconnlimit), NULL
         FROM pg_catalog.pg_roles r
        WHERE rolname = CURRENT_USER AND rolconnlimit > 0)
SELECT CASE WHEN 100 * used >= $2::numeric * allowed THEN 'error' ELSE 'warning' END,
       object,
       CASE WHEN allowed = 0 THEN 'lets nobody but superusers connect: its CONNECTION LIMIT is 0'
            ELSE format('%s of %s connections are in use', least(used, allowed), allowed) END,
       fix, note
  FROM limits
 WHERE 100 * used >= $1::numeric * allowed
