-- Tables without a primary key. A unique index over columns that are never NULL could become one; itself only
-- when it sorts as the columns do: default operator classes, their collations, ascending, NULLs apart (jsonb, as
-- servers before 15 know no others).
SELECT CASE WHEN candidate.index IS NULL THEN 'warning' ELSE 'info' END,
       format('%I.%I', n.nspname, t.relname),
       CASE WHEN candidate.index IS NULL
            THEN 'has no primary key: its rows cannot be told apart, and logical replication refuses UPDATE and DELETE'
            ELSE format('has no primary key, though the unique index %I could be it', candidate.index) END,
       CASE WHEN candidate.index IS NULL THEN NULL
            WHEN NOT candidate.is_usual THEN NULL
            WHEN candidate.of_constraint OR t.relkind = 'p'
            THEN format('ALTER TABLE %I.%I ADD PRIMARY KEY (%s);', n.nspname, t.relname, candidate.columns)
            ELSE format('ALTER TABLE %I.%I ADD PRIMARY KEY USING INDEX %I;', n.nspname, t.relname,
                        candidate.index) END,
       CASE WHEN candidate.index IS NULL
            THEN format('Say which columns tell its rows apart: ALTER TABLE %I.%I ADD PRIMARY KEY (...);',
                        n.nspname, t.relname)
            WHEN NOT candidate.is_usual
            THEN format('That index is sorted otherwise than one of a primary key, which takes an index of its own: '
                        'ALTER TABLE %I.%I ADD PRIMARY KEY (%s);', n.nspname, t.relname, candidate.columns) END
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN LATERAL (
       SELECT c.relname AS index,
              EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid) AS of_constraint,
              (SELECT string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.place)
                 FROM unnest(x.indkey::int2[]) WITH ORDINALITY u (number, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number
                WHERE u.place <= x.indnkeyatts) AS columns,
              coalesce(to_jsonb(x) ->> 'indnullsnotdistinct', 'false') = 'false'
              AND NOT EXISTS (
                  SELECT FROM unnest(x.indkey::int2[], x.indclass::oid[], x.indcollation::oid[], x.indoption::int2[])
                              WITH ORDINALITY u (number, class, collation_, options, place)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number
                    JOIN pg_catalog.pg_attribute l ON l.attrelid = c.oid AND l.attnum = u.place
                    JOIN pg_catalog.pg_opclass o ON o.oid = u.class
                   WHERE u.place <= x.indnkeyatts
                     AND (NOT o.opcdefault OR u.collation_ <> a.attcollation OR u.options <> 0
                          OR l.attoptions IS NOT NULL)) AS is_usual
         FROM pg_catalog.pg_index x
         JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
        WHERE x.indrelid = t.oid AND x.indisunique AND x.indisvalid AND x.indimmediate
          AND x.indpred IS NULL AND x.indexprs IS NULL
          AND NOT EXISTS (SELECT FROM unnest(x.indkey::int2[]) u (number)
                            JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number
                           WHERE NOT a.attnotnull)
        ORDER BY is_usual DESC, x.indnkeyatts, c.relname LIMIT 1) candidate ON true
 WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND t.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = t.oid AND x.indisprimary)
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY n.nspname, t.relname
