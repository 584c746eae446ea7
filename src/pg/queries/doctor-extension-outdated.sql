-- Extensions that the server has files of another version for, and a way to it; and those that it has no
-- files for.
SELECT CASE WHEN a.name IS NULL THEN 'warning' ELSE 'info' END,
       pg_catalog.quote_ident(e.extname),
       CASE WHEN a.name IS NULL
            THEN format('is installed as %s, and the server has no files for it', e.extversion)
            ELSE format('is %s, the server offers %s', e.extversion, a.default_version) END,
       CASE WHEN a.name IS NOT NULL THEN format('ALTER EXTENSION %I UPDATE;', e.extname) END
  FROM pg_catalog.pg_extension e
  LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = e.extname
 WHERE a.name IS NULL
    OR (a.default_version <> e.extversion
        AND EXISTS (SELECT FROM pg_catalog.pg_extension_update_paths(e.extname) u
                     WHERE u.source = e.extversion AND u.target = a.default_version AND u.path IS NOT NULL))
 ORDER BY 2
