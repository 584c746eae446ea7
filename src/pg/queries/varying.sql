-- Whether what statements mention ($1: names, separated by \x01, those that a parenthesis follows
-- ending in one) yields something that varies from run to run: the name of it and by way of what it
-- was reached; no row: nothing does. Names are taken without schemas. Run on connections whose
-- search_path is the user's, so everything is qualified, operators too.
WITH RECURSIVE given AS MATERIALIZED (
  SELECT DISTINCT g.word COLLATE pg_catalog."C" AS word
    FROM pg_catalog.unnest(pg_catalog.string_to_array($1::pg_catalog.text, E'\x01')) AS g (word)
),
-- Whether triggers may have been switched off or on meanwhile, and whether TRUNCATE goes on to other
-- tables.
mention AS MATERIALIZED (
  SELECT EXISTS (
           SELECT
             FROM given g
            WHERE g.word OPERATOR(pg_catalog.=) ANY ('{enable,disable}'::pg_catalog.text[])) AS enables,
         (EXISTS (SELECT FROM given g WHERE g.word OPERATOR(pg_catalog.=) 'truncate')
          AND EXISTS (SELECT FROM given g WHERE g.word OPERATOR(pg_catalog.=) 'cascade'))
         OR EXISTS (
              SELECT
                FROM pg_catalog.pg_proc p
                JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
               WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
                 AND p.prosrc OPERATOR(pg_catalog.~*) 'truncate.*cascade') AS truncates
),
-- The user's relations.
relation AS MATERIALIZED (
  SELECT c.oid, c.relname::pg_catalog.text AS name, c.relkind
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
   WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema,pg_toast}'::pg_catalog.name[])
     AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[])
),
-- What has a text of its own: kind says which function yields it.
part (owner, kind, id, name, label) AS MATERIALIZED (
  SELECT r.name, 'default'::pg_catalog.text, d.oid, NULL::pg_catalog.text,
         pg_catalog.format('the default of %s.%s', r.name, a.attname)
    FROM relation r
    JOIN pg_catalog.pg_attrdef d ON d.adrelid OPERATOR(pg_catalog.=) r.oid
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.=) d.adnum
   UNION ALL
  -- Of a constraint, of a table or of a domain.
  SELECT coalesce(r.name, t.typname::pg_catalog.text), 'constraint', k.oid, NULL,
         pg_catalog.format('in constraint %s of %s', k.conname, coalesce(r.name, t.typname::pg_catalog.text))
    FROM pg_catalog.pg_constraint k
    LEFT JOIN relation r ON r.oid OPERATOR(pg_catalog.=) k.conrelid
    LEFT JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) k.contypid
   WHERE k.contype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"
     AND (r.oid IS NOT NULL OR t.oid IS NOT NULL)
   UNION ALL
  -- A column's domain, and what a domain is made of.
  SELECT DISTINCT r.name, 'name', 0::pg_catalog.oid, t.typname::pg_catalog.text, NULL
    FROM relation r
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) r.oid
    JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
   WHERE t.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"
   UNION ALL
  SELECT t.typname::pg_catalog.text, 'domain', t.oid, NULL, pg_catalog.format('the default of domain %s', t.typname)
    FROM pg_catalog.pg_type t
   WHERE t.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"
     AND t.typdefaultbin IS NOT NULL
   UNION ALL
  SELECT t.typname::pg_catalog.text, 'name', 0::pg_catalog.oid, b.typname::pg_catalog.text, NULL
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_type b ON b.oid OPERATOR(pg_catalog.=) t.typbasetype
   WHERE b.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"
   UNION ALL
  SELECT r.name, 'trigger', t.oid, NULL, pg_catalog.format('in trigger %s of %s', t.tgname, r.name)
    FROM relation r
    JOIN pg_catalog.pg_trigger t ON t.tgrelid OPERATOR(pg_catalog.=) r.oid
   WHERE NOT t.tgisinternal
     AND (t.tgenabled OPERATOR(pg_catalog.<>) 'D'::pg_catalog."char"
          OR (SELECT m.enables FROM mention m))
   UNION ALL
  SELECT r.name, 'rule', w.oid, NULL, pg_catalog.format('in rule %s of %s', w.rulename, r.name)
    FROM relation r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class OPERATOR(pg_catalog.=) r.oid
   UNION ALL
  SELECT r.name, 'policy', p.oid, NULL, pg_catalog.format('in policy %s of %s', p.polname, r.name)
    FROM relation r
    JOIN pg_catalog.pg_policy p ON p.polrelid OPERATOR(pg_catalog.=) r.oid
   UNION ALL
  -- Rows may land in partitions and in tables that inherit.
  SELECT r.name, 'name', 0::pg_catalog.oid, s.name, NULL
    FROM pg_catalog.pg_inherits i
    JOIN relation r ON r.oid OPERATOR(pg_catalog.=) i.inhparent
    JOIN relation s ON s.oid OPERATOR(pg_catalog.=) i.inhrelid
   UNION ALL
  -- Deleting and updating goes on in tables that refer to this one: their triggers run, and those
  -- of the tables that refer to them.
  SELECT r.name, 'name', 0::pg_catalog.oid, E'\x02' OPERATOR(pg_catalog.||) s.name, NULL
    FROM pg_catalog.pg_constraint k
    JOIN relation r ON r.oid OPERATOR(pg_catalog.=) k.confrelid
    JOIN relation s ON s.oid OPERATOR(pg_catalog.=) k.conrelid
   WHERE k.confdeltype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::pg_catalog."char"[])
      OR k.confupdtype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::pg_catalog."char"[])
      OR (SELECT m.truncates FROM mention m)
   UNION ALL
  SELECT E'\x02' OPERATOR(pg_catalog.||) r.name, 'name', 0::pg_catalog.oid, E'\x02' OPERATOR(pg_catalog.||) s.name, NULL
    FROM pg_catalog.pg_constraint k
    JOIN relation r ON r.oid OPERATOR(pg_catalog.=) k.confrelid
    JOIN relation s ON s.oid OPERATOR(pg_catalog.=) k.conrelid
   WHERE k.confdeltype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::pg_catalog."char"[])
      OR k.confupdtype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::pg_catalog."char"[])
      OR (SELECT m.truncates FROM mention m)
   UNION ALL
  SELECT E'\x02' OPERATOR(pg_catalog.||) r.name, 'trigger', t.oid, NULL,
         pg_catalog.format('in trigger %s of %s', t.tgname, r.name)
    FROM relation r
    JOIN pg_catalog.pg_trigger t ON t.tgrelid OPERATOR(pg_catalog.=) r.oid
   WHERE NOT t.tgisinternal
     AND (t.tgenabled OPERATOR(pg_catalog.<>) 'D'::pg_catalog."char"
          OR (SELECT m.enables FROM mention m))
   UNION ALL
  SELECT E'\x02' OPERATOR(pg_catalog.||) r.name, 'default', d.oid, NULL,
         pg_catalog.format('the default of %s.%s', r.name, a.attname)
    FROM relation r
    JOIN pg_catalog.pg_attrdef d ON d.adrelid OPERATOR(pg_catalog.=) r.oid
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.=) d.adnum
   WHERE EXISTS (
           SELECT
             FROM pg_catalog.pg_constraint k
            WHERE k.conrelid OPERATOR(pg_catalog.=) r.oid
              AND 'd'::pg_catalog."char" OPERATOR(pg_catalog.=) ANY (ARRAY[k.confdeltype, k.confupdtype]))
   UNION ALL
  -- Functions of the user's, their arguments' defaults included. One of a row can be called as if
  -- it were a column.
  SELECT p.proname::pg_catalog.text OPERATOR(pg_catalog.||) s.suffix,
         CASE WHEN p.prokind OPERATOR(pg_catalog.=) 'a'::pg_catalog."char" THEN 'aggregate' ELSE 'function' END,
         p.oid, NULL, pg_catalog.format('in function %s()', p.proname)
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
    JOIN pg_catalog.unnest('{(,""}'::pg_catalog.text[]) AS s (suffix) ON true
   WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
     AND (l.lanname OPERATOR(pg_catalog.<>) ALL ('{c,internal}'::pg_catalog.name[])
          OR p.prokind OPERATOR(pg_catalog.=) 'a'::pg_catalog."char")
     AND (s.suffix OPERATOR(pg_catalog.=) '('
          OR EXISTS (
               SELECT
                 FROM pg_catalog.pg_type t
                WHERE t.oid OPERATOR(pg_catalog.=) p.proargtypes[0]
                  AND t.typtype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"))
   UNION ALL
  SELECT E'\x02event triggers', 'event trigger', e.evtfoid, NULL, pg_catalog.format('in event trigger %s', e.evtname)
    FROM pg_catalog.pg_event_trigger e
   WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D'::pg_catalog."char"
      OR (SELECT m.enables FROM mention m)
   UNION ALL
  -- Operators and casts have no words.
  SELECT E'\x02operators', 'name', 0::pg_catalog.oid, p.proname::pg_catalog.text OPERATOR(pg_catalog.||) '(', NULL
    FROM pg_catalog.pg_operator o
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
    JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) o.oprcode::pg_catalog.oid
   WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
   UNION ALL
  SELECT E'\x02operators', 'name', 0::pg_catalog.oid, p.proname::pg_catalog.text OPERATOR(pg_catalog.||) '(', NULL
    FROM pg_catalog.pg_cast s
    JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) s.castfunc
    -- Those before were there from the beginning.
   WHERE s.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
),
reached (word, label) AS (
  SELECT g.word, NULL::pg_catalog.text COLLATE pg_catalog."C"
    FROM given g
   UNION
  -- Of a table it does not matter whether a parenthesis follows.
  SELECT pg_catalog.rtrim(g.word, '('), NULL
    FROM given g
   UNION
  SELECT e.word, NULL
    FROM pg_catalog.unnest(ARRAY[E'\x02event triggers', E'\x02operators']) AS e (word)
   UNION
  SELECT w.word COLLATE pg_catalog."C", p.label COLLATE pg_catalog."C"
    FROM reached r
    JOIN part p ON p.owner OPERATOR(pg_catalog.=) r.word
    JOIN LATERAL (
           SELECT CASE
                  WHEN p.kind OPERATOR(pg_catalog.=) 'default' THEN (
                         SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                           FROM pg_catalog.pg_attrdef d
                          WHERE d.oid OPERATOR(pg_catalog.=) p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'constraint' THEN pg_catalog.pg_get_constraintdef(p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'domain' THEN (
                         SELECT pg_catalog.pg_get_expr(t.typdefaultbin, 0::pg_catalog.oid)
                           FROM pg_catalog.pg_type t
                          WHERE t.oid OPERATOR(pg_catalog.=) p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'trigger' THEN pg_catalog.pg_get_triggerdef(p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'rule' THEN pg_catalog.pg_get_ruledef(p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'policy' THEN (
                         SELECT pg_catalog.concat_ws(' ',
                                  pg_catalog.pg_get_expr(y.polqual, y.polrelid),
                                  pg_catalog.pg_get_expr(y.polwithcheck, y.polrelid))
                           FROM pg_catalog.pg_policy y
                          WHERE y.oid OPERATOR(pg_catalog.=) p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'function' THEN pg_catalog.pg_get_functiondef(p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'aggregate' THEN (
                         SELECT pg_catalog.format('%s( %s( %s( %s( %s( %s( %s( %s(', g.aggtransfn,
                                  g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
                                  g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn)
                           FROM pg_catalog.pg_aggregate g
                          WHERE g.aggfnoid OPERATOR(pg_catalog.=) p.id)
                  WHEN p.kind OPERATOR(pg_catalog.=) 'event trigger' THEN
                         pg_catalog.format('%s(', p.id::pg_catalog.regproc)
                  END AS text
           OFFSET 0) b ON true
    JOIN LATERAL (
           SELECT p.name AS word
            WHERE p.kind OPERATOR(pg_catalog.=) 'name'
            UNION ALL
           SELECT pg_catalog.lower(m.found[1]) OPERATOR(pg_catalog.||) coalesce(m.found[2], '')
             FROM pg_catalog.regexp_matches(b.text,
                    '((?:_|[^[:space:][:punct:][:digit:]])(?:[_$]|[^[:space:][:punct:]])*)\s*(\()?', 'g') AS m (found)
            UNION ALL
           -- The same without its parenthesis, for a table with its columns.
           SELECT pg_catalog.lower(m.found[1])
             FROM pg_catalog.regexp_matches(b.text,
                    '((?:_|[^[:space:][:punct:][:digit:]])(?:[_$]|[^[:space:][:punct:]])*)\s*\(', 'g') AS m (found)
            UNION ALL
           -- Quoted names; whether the quotes are such is not known for sure, so the words between
           -- them count as well.
           SELECT pg_catalog.replace(m.found[1], '""', '"') OPERATOR(pg_catalog.||) s.suffix
             FROM pg_catalog.regexp_matches(b.text, '"((?:[^"]|"")+)"', 'g') AS m (found)
             JOIN pg_catalog.unnest('{(,""}'::pg_catalog.text[]) AS s (suffix) ON true
            UNION ALL
           SELECT E'\x02literal'
            WHERE b.text OPERATOR(pg_catalog.~*)
                    '''([^'']*[''"{\[(,])?[\s\d:.+-]*(now|today|tomorrow|yesterday|allballs)(?![[:alpha:]_])'
            UNION ALL
           -- What is run has been put together, unless it is a single string.
           SELECT E'\x02execute'
            WHERE p.kind OPERATOR(pg_catalog.=) 'function'
              AND b.text OPERATOR(pg_catalog.~*) '\mexecute\M'
              AND pg_catalog.regexp_replace(
                    b.text,
                    '\mexecute\s+(?:function|procedure|on)\M'
                    '|\mexecute\s*(?:''(?:[^''\\]|'''')*''|\$\w*\$(?:[^$]|\$\d)*\$\w*\$)\s*(?:;|into\M|using\M|loop\M)',
                    '', 'gi') OPERATOR(pg_catalog.~*) '\mexecute\M'
            UNION ALL
           -- What it was is not known.
           SELECT E'\x02drop'
            WHERE p.kind OPERATOR(pg_catalog.=) 'function'
              AND b.text OPERATOR(pg_catalog.~*)
                    '\mdrop\s+(function|procedure|routine|aggregate|trigger|rule|view|materialized|schema|type|domain|operator|cast|extension|default|policy)\M'
            UNION ALL
           SELECT E'\x02user'
            WHERE b.text OPERATOR(pg_catalog.~*) '(^|[^.\w"''\s])\s*user\s*($|[,);:|=<>])'
               OR b.text OPERATOR(pg_catalog.~*)
                    '\m(select|return|then|else|and|or|not|when|by|is|like)\s+user\M'
            UNION ALL
           -- age() varies with one argument.
           SELECT E'\x02age'
            WHERE pg_catalog.regexp_replace(
                    b.text, '\mage\s*\((?:[^(),]|\([^()]*\))*,', '', 'gi')
                    OPERATOR(pg_catalog.~*) '\mage\s*\(') w ON true
)
SELECT CASE
       WHEN r.word OPERATOR(pg_catalog.=) E'\x02literal' THEN 'a date such as ''now'''
       WHEN r.word OPERATOR(pg_catalog.=) E'\x02user' THEN 'USER'
       WHEN r.word OPERATOR(pg_catalog.=) E'\x02age' THEN 'age()'
       WHEN r.word OPERATOR(pg_catalog.=) E'\x02execute' THEN 'EXECUTE'
       WHEN r.word OPERATOR(pg_catalog.=) E'\x02drop' THEN 'DROP'
       WHEN r.word OPERATOR(pg_catalog.~~) '%(' THEN r.word OPERATOR(pg_catalog.||) ')'
       WHEN r.word OPERATOR(pg_catalog.~~) 'pg\_%' THEN r.word
       ELSE pg_catalog.upper(r.word)
       END OPERATOR(pg_catalog.||) coalesce(', ' OPERATOR(pg_catalog.||) r.label, '')
  FROM reached r
 WHERE r.word OPERATOR(pg_catalog.=) ANY (ARRAY[E'\x02literal', E'\x02user', E'\x02age', E'\x02execute', E'\x02drop'])
    OR (r.word OPERATOR(pg_catalog.=) 'age(' AND r.label IS NULL)
    OR (r.label IS NOT NULL
        AND r.word OPERATOR(pg_catalog.=) ANY ('{current_catalog,current_date,current_role,current_time,
              current_timestamp,current_user,localtime,localtimestamp,session_user,system_user,
              tablesample}'::pg_catalog.text[]))
    -- What shows the server, not what has been made in the database; but roles go into the
    -- fingerprint, and scripts look whether theirs are there.
    OR EXISTS (
         SELECT
           FROM pg_catalog.pg_class c
          WHERE c.relname OPERATOR(pg_catalog.=) r.word::pg_catalog.name
            AND ((c.relnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
                  AND (c.relisshared OR c.relkind OPERATOR(pg_catalog.=) 'v'::pg_catalog."char"
                       OR c.relname OPERATOR(pg_catalog.~) '^pg_statistic')
                  AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v}'::pg_catalog."char"[])
                  AND NOT (c.relname OPERATOR(pg_catalog.~)
                             '^pg_(tables|views|matviews|indexes|sequences|rules|policies|publication_tables|seclabels'
                             '|roles|user|group|auth_members)$'))
                 OR (c.relnamespace OPERATOR(pg_catalog.=) 'information_schema'::pg_catalog.regnamespace
                     AND c.relname OPERATOR(pg_catalog.~)
                           '^(applicable_roles|enabled_roles|administrable_role_authorizations|role_.*|information_schema_catalog_name)$')))
    OR EXISTS (
         SELECT
           FROM pg_catalog.pg_proc p
           JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
          WHERE r.word OPERATOR(pg_catalog.~~) '%('
            AND p.proname OPERATOR(pg_catalog.=) pg_catalog.rtrim(r.word, '(')::pg_catalog.name
            AND CASE
                WHEN p.pronamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
                THEN (p.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char"
                      -- Of these the effect is the same after every load, or there is none.
                      AND NOT (p.proname OPERATOR(pg_catalog.~)
                                 '^(nextval|currval|lastval|setval|set_config|setseed|pg_notify)$')
                      AND NOT (p.proname OPERATOR(pg_catalog.~)
                                 '^(pg_sleep|pg_advisory_|pg_try_advisory_|pg_stat.*reset|tsvector_update_)')
                      AND NOT (p.proname OPERATOR(pg_catalog.~)
                                 '^(lo_(close|get|lseek|open|put|truncate|unlink)|loread|lowrite|brin_)')
                      AND NOT (p.proname OPERATOR(pg_catalog.~)
                                 '^(suppress_redundant_updates_trigger|pg_extension_config_dump)$'))
                     OR (p.proretset
                         AND p.provolatile OPERATOR(pg_catalog.=) 's'::pg_catalog."char"
                         AND p.proname OPERATOR(pg_catalog.~) '^pg_'
                         AND NOT (p.proname OPERATOR(pg_catalog.~)
                                    '^pg_(partition_.*|options_to_table|get_keywords|get_publication_tables)$'))
                     OR p.proname OPERATOR(pg_catalog.~)
                          '^(now|transaction_timestamp|statement_timestamp|version|getpgusername)$'
                     OR p.proname OPERATOR(pg_catalog.~)
                          '^(current_(setting|database|query|user)|session_user|inet_.*_(addr|port))$'
                     OR p.proname OPERATOR(pg_catalog.~)
                          '^(txid_|pg_current_(xact_id|snapshot|logfile)|pg_control_|pg_stat_get_)'
                     OR p.proname OPERATOR(pg_catalog.~)
                          '^(pg_backend_pid|pg_my_temp_schema|pg_postmaster_start_time|pg_conf_load_time|shobj_description)$'
                     OR p.proname OPERATOR(pg_catalog.~) '^has_(database|parameter|tablespace)_privilege$'
                     OR p.proname OPERATOR(pg_catalog.~)
                          '^(pg_(safe_snapshot_)?blocking_pids|pg_last_|pg_xact_commit_|pg_relation_file)'
                     -- Languages whose text says nothing here, C above all.
                ELSE p.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char"
                     AND p.prokind OPERATOR(pg_catalog.<>) 'a'::pg_catalog."char"
                     AND l.lanname OPERATOR(pg_catalog.<>) ALL ('{sql,plpgsql}'::pg_catalog.name[])
                     AND NOT (l.lanname OPERATOR(pg_catalog.=) 'c'::pg_catalog.name
                              AND p.prorettype OPERATOR(pg_catalog.=)
                                    'pg_catalog.event_trigger'::pg_catalog.regtype)
                END)
 ORDER BY r.label NULLS FIRST, r.word
 LIMIT 1
