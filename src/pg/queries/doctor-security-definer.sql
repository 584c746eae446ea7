-- SECURITY DEFINER functions whose search_path the caller decides on, wholly or through a schema where
-- everybody may create, or whose tables a temporary one can stand in for. What C code and bodies that are
-- parsed already (BEGIN ATOMIC, in 14 and later, hence jsonb) mean is settled. The search_path that is
-- advised keeps the schemas that are safe and adds the function's own, where its tables most likely are; which
-- others the body needs is to be read there, so that it is SQL to be run as it is only where none is lost.
-- What nobody but the owner may call is left out, but for triggers, which run whoever may call them.
WITH functions AS (
       SELECT p.oid, p.proowner, n.nspname AS schema, format('%I.%I(%s)', n.nspname, p.proname,
                                        pg_catalog.pg_get_function_identity_arguments(p.oid)) AS name,
              CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
              (SELECT substr(s, 13) FROM unnest(p.proconfig) s WHERE s LIKE 'search\_path=%') AS path
         FROM pg_catalog.pg_proc p
         JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE p.prosecdef AND l.lanname NOT IN ('c', 'internal')
          AND to_jsonb(p) ->> 'prosqlbody' IS NULL
          AND (p.prorettype IN ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
               OR EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
                           WHERE a.privilege_type = 'EXECUTE' AND a.grantee <> p.proowner))
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid
                             AND d.deptype = 'e')),
     judged AS (
       SELECT f.*, parts, pg_catalog.pg_get_userbyid(f.proowner) AS owner,
              (SELECT string_agg(n.nspname, ', ') FROM pg_catalog.pg_namespace n
                WHERE n.nspname = ANY (parts)
                  AND EXISTS (SELECT FROM aclexplode(n.nspacl) a
                               WHERE a.grantee = 0 AND a.privilege_type = 'CREATE')) AS open,
              EXISTS (SELECT FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) a
                       WHERE n.nspname = f.schema AND a.grantee = 0 AND a.privilege_type = 'CREATE') AS own_open,
              '$user' = ANY (parts) AS by_user,
              coalesce(array_position(parts, 'pg_temp') = cardinality(parts), false) OR path IN ('', '""') AS temporary_last,
              array(SELECT u.part FROM unnest(parts) WITH ORDINALITY u (part, number)
                     WHERE u.part NOT IN ('', '$user', 'pg_temp')
                       AND (u.part = f.schema OR NOT EXISTS (
                            SELECT FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) a
                             WHERE n.nspname = u.part AND a.grantee = 0 AND a.privilege_type = 'CREATE'))
                     ORDER BY u.number) AS kept
         FROM functions f
        CROSS JOIN LATERAL (
              SELECT array(SELECT btrim(part, ' "') FROM unnest(string_to_array(path, ',')) part) AS parts) p)
SELECT CASE WHEN path IS NULL OR open IS NOT NULL OR by_user THEN 'warning' ELSE 'info' END,
       name,
       CASE WHEN path IS NULL
            THEN format('runs as %I with the caller''s search_path: who calls it decides which tables and functions it means', owner)
            WHEN open IS NOT NULL
            THEN format('runs as %I, and everybody may create in its search_path (%s)', owner, open)
            WHEN by_user
            THEN format('runs as %I, and "$user" in its search_path is the caller''s to fill', owner)
            ELSE format('runs as %I, and a caller''s temporary table comes before those of its search_path: pg_temp has to stand last', owner) END,
       CASE WHEN keeps_all
            THEN format('ALTER %s %s SET search_path = %s, pg_temp;', kind, name, path) END,
       CASE WHEN NOT keeps_all
            THEN format('Look at its body for names without a schema, and put the schemas that they are in before pg_temp: '
                        '%sALTER %s %s SET search_path = %s;',
                        CASE WHEN is_open AND own_open THEN format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC; ', schema) END,
                        kind, name, safe) END
  FROM judged
 CROSS JOIN LATERAL (SELECT path IS NULL OR open IS NOT NULL OR by_user AS is_open) o
 CROSS JOIN LATERAL (SELECT NOT is_open AND NOT 'pg_temp' = ANY (parts) AS keeps_all) k
 CROSS JOIN LATERAL (
       SELECT string_agg(quote_ident(u.part), ', ' ORDER BY u.number) AS safe
         FROM unnest(kept || CASE WHEN is_open AND NOT schema = ANY (kept) THEN ARRAY[schema::text] ELSE '{}' END
                          || '{pg_temp}'::text[]) WITH ORDINALITY u (part, number)) s
 WHERE path IS NULL OR open IS NOT NULL OR by_user OR NOT temporary_last
 ORDER BY name
