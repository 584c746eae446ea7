-- Whether names are looked up in pg_catalog first, so that nobody's operator takes the place of one that
-- is not qualified: so it is unless search_path names pg_catalog behind another schema. pg_temp holds
-- no operators.
SELECT coalesce(pg_catalog.min(s.place) FILTER (WHERE s.name OPERATOR(pg_catalog.=) 'pg_catalog')
                OPERATOR(pg_catalog.=) pg_catalog.min(s.place), false)
  FROM ROWS FROM (pg_catalog.unnest(pg_catalog.current_schemas(true)))
         WITH ORDINALITY s (name, place)
 WHERE NOT (s.name OPERATOR(pg_catalog.~) '^pg_temp')
