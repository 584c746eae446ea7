-- Databases whose oldest transaction id is $1 (warning) or $2 (error) ids back: at some 2100 million the
-- server stops taking writes. VACUUM works in the database that it is run in.
SELECT CASE WHEN pg_catalog.age(d.datfrozenxid) >= $2::bigint THEN 'error' ELSE 'warning' END,
       pg_catalog.quote_ident(d.datname),
       format('its oldest transaction id is %s million back: at some 2100 million the server stops taking writes',
              pg_catalog.age(d.datfrozenxid) / 1000000),
       CASE WHEN d.datname = pg_catalog.current_database() THEN 'VACUUM (FREEZE);' END,
       CASE WHEN d.datname <> pg_catalog.current_database() AND d.datallowconn
            THEN format('Connected to the database %I: VACUUM (FREEZE);', d.datname) END
  FROM pg_catalog.pg_database d
 WHERE pg_catalog.age(d.datfrozenxid) >= $1::bigint
 ORDER BY d.datname
