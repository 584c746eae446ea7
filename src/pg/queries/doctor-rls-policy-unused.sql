-- Policies on tables whose row-level security is not switched on.
SELECT 'error',
       format('%I.%I', n.nspname, t.relname),
       format('has %s polic%s (%s), but row-level security is off: %s nothing', count(*),
              CASE WHEN count(*) = 1 THEN 'y' ELSE 'ies' END,
              string_agg(pg_catalog.quote_ident(p.polname), ', ' ORDER BY p.polname),
              CASE WHEN count(*) = 1 THEN 'it protects' ELSE 'they protect' END),
       CASE WHEN bool_or(p.polpermissive)
            THEN format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY;', n.nspname, t.relname) END,
       CASE WHEN bool_or(p.polpermissive)
            THEN 'From then on all but the owner, and roles that pass by row-level security, see and change only the '
                 'rows that the policies let them: read these first.'
            ELSE format('Its policies are all restrictive: with row-level security on, nobody but the owner and roles '
                        'that pass by it sees a row. Write a permissive one first, then ALTER TABLE %I.%I ENABLE '
                        'ROW LEVEL SECURITY.', n.nspname, t.relname) END
  FROM pg_catalog.pg_policy p
  JOIN pg_catalog.pg_class t ON t.oid = p.polrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE NOT t.relrowsecurity
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
 GROUP BY n.nspname, t.relname
 ORDER BY n.nspname, t.relname
