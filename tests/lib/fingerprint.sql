-- What a database's schema consists of, as sorted text: equal for equal databases. Stands in for
-- pg_dump where none is new enough for the server.
SELECT 'schema', nspname, obj_description(oid, 'pg_namespace')
FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 2;

SELECT 'extension', extname, extversion FROM pg_extension ORDER BY 2;

SELECT 'relation', c.oid::regclass::text, c.relkind, c.relpersistence, c.relowner::regrole,
  obj_description(c.oid, 'pg_class'), c.relacl, c.reloptions,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2;

SELECT 'column', a.attrelid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
  a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
  col_description(a.attrelid, a.attnum)
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind <> 'i'
ORDER BY 2, 3;

SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(c.oid)
FROM pg_constraint AS c JOIN pg_namespace AS n ON n.oid = c.connamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2, 3;

SELECT 'index', indrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2, 3;

SELECT 'function', p.oid::regprocedure::text,
  CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2;

SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal ORDER BY 2, 3;

SELECT 'type', t.oid::regtype::text, t.typtype, pg_get_expr(t.typdefaultbin, 0),
  (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid)
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2;

SELECT 'sequence', schemaname, sequencename, last_value, start_value, increment_by
FROM pg_sequences ORDER BY 2, 3;
