-- What the role may do here.
SELECT CURRENT_USER,
       SESSION_USER,
       r.rolsuper,
       r.rolcreatedb,
       r.rolcreaterole,
       r.rolbypassrls,
       pg_catalog.has_database_privilege(d.oid, 'CREATE'),
       pg_catalog.pg_has_role(d.datdba, 'USAGE'),
       coalesce((SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
                   FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public'), false),
       (SELECT string_agg(m.rolname, ', ' ORDER BY m.rolname) FROM pg_catalog.pg_roles m
         WHERE m.rolname IN ('rds_superuser', 'rds_iam', 'rds_replication', 'cloudsqlsuperuser', 'azure_pg_admin',
                             'pg_monitor', 'pg_read_all_stats', 'pg_read_all_data', 'pg_write_all_data',
                             'pg_signal_backend', 'pg_checkpoint', 'pg_maintain')
           AND NOT r.rolsuper AND pg_catalog.pg_has_role(m.oid, 'MEMBER')),
       CASE WHEN isfinite(r.rolvaliduntil)
            THEN extract(epoch FROM r.rolvaliduntil - pg_catalog.now())::bigint END
  FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
 WHERE d.datname = pg_catalog.current_database() AND r.rolname = CURRENT_USER
