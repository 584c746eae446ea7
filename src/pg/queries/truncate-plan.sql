-- The database's tables that are to be emptied, as the list of a TRUNCATE (null: none), how many they
-- are, and the database's comment. Run on connections whose search_path is the user's, so everything
-- is qualified, operators too.
--
-- Not among them: what is not the user's own (system schemas, temporary tables, what extensions made
-- or hold in their schemas), foreign tables, and the bookkeeping of migration tools: "migrations" is
-- told from a table of the user's by its columns, which are those of TypeORM, Laravel or Supabase. A
-- partition is emptied with its table. Where a foreign table is among the descendants, or anything
-- else that is to stay, the others are named one by one, ONLY where they have descendants.
WITH RECURSIVE candidate AS (
       SELECT c.oid, c.relkind, c.relispartition, n.nspname, c.relname,
              c.relkind OPERATOR(pg_catalog.=) 'f'::pg_catalog."char"
              OR n.nspname OPERATOR(pg_catalog.=) 'supabase_migrations'
              OR c.relname OPERATOR(pg_catalog.=) ANY ('{
                   schema_migrations, ar_internal_metadata,
                   flyway_schema_history, schema_version,
                   databasechangelog, databasechangeloglock, DATABASECHANGELOG, DATABASECHANGELOGLOCK,
                   alembic_version, django_migrations,
                   knex_migrations, knex_migrations_lock, _prisma_migrations, SequelizeMeta,
                   __drizzle_migrations, mikro_orm_migrations, kysely_migration, kysely_migration_lock,
                   pgmigrations, goose_db_version, gorp_migrations, atlas_schema_revisions,
                   _sqlx_migrations, __diesel_schema_migrations, refinery_schema_history, seaql_migrations,
                   __EFMigrationsHistory, __ef_migrations_history, schemaversions,
                   phinxlog, doctrine_migration_versions }'::pg_catalog.name[])
              OR CASE WHEN c.relname OPERATOR(pg_catalog.=) 'migrations'
                      THEN (SELECT pg_catalog.string_agg(a.attname, ' ' ORDER BY a.attname)
                              FROM pg_catalog.pg_attribute a
                             WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid
                               AND a.attnum OPERATOR(pg_catalog.>) 0
                               AND NOT a.attisdropped)
                           OPERATOR(pg_catalog.=) ANY ('{id name timestamp, batch id migration,
                             executed_at hash id name}'::pg_catalog.text[])
                      ELSE false END
              OR EXISTS (
                   SELECT
                     FROM pg_catalog.pg_depend d
                    WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid OPERATOR(pg_catalog.=) c.oid
                      AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char") AS stays
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f}'::pg_catalog."char"[])
          AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
          AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'
          AND NOT (n.nspname OPERATOR(pg_catalog.~) '^pg_')
          AND NOT EXISTS (
                SELECT
                  FROM pg_catalog.pg_depend d
                 WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                   AND d.objid OPERATOR(pg_catalog.=) n.oid
                   AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char")),
     above AS (
       SELECT i.inhparent AS oid
         FROM candidate s
         JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) s.oid
        WHERE s.stays
       UNION
       SELECT i.inhparent
         FROM above a
         JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) a.oid)
SELECT pg_catalog.string_agg(
         pg_catalog.format(CASE WHEN above.oid IS NULL THEN '%I.%I' ELSE 'ONLY %I.%I' END,
           c.nspname, c.relname), ', ' ORDER BY c.oid),
       pg_catalog.count(*),
       (SELECT pg_catalog.shobj_description(d.oid, 'pg_database')
          FROM pg_catalog.pg_database d
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
  FROM candidate c
  LEFT JOIN above ON above.oid OPERATOR(pg_catalog.=) c.oid
 WHERE NOT c.stays
   AND (above.oid IS NULL OR c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char")
   AND (NOT c.relispartition
        OR EXISTS (
             SELECT
               FROM pg_catalog.pg_inherits i
               JOIN above a ON a.oid OPERATOR(pg_catalog.=) i.inhparent
              WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid))
