-- For queries that have \ir of this among their WITH RECURSIVE: what keeps the types of columns from being
-- changed. From narrow (id, relation, attname, attinhcount, wanted: the new type) and integers (oid, base: the
-- types that a domain may hide) to widened (id, columns: the SQL that does it), obstacles (id, what: what is to
-- be dropped first, in that order, count) and barred (id, what, why, domain: what cannot be changed at all).
     above AS (
       SELECT id, relation, attname, attinhcount, wanted FROM narrow
       UNION
       SELECT above.id, a.attrelid, a.attname, a.attinhcount, above.wanted
         FROM above
         JOIN pg_catalog.pg_inherits i ON i.inhrelid = above.relation
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.inhparent AND a.attname = above.attname
        WHERE above.attinhcount > 0),
     changed AS (
       SELECT id, relation, attname FROM above WHERE attinhcount = 0
       UNION
       SELECT changed.id, i.inhrelid, changed.attname
         FROM changed
         JOIN pg_catalog.pg_inherits i ON i.inhparent = changed.relation),
     users AS (
       SELECT c.id, c.relation, a.attname, a.attnum, a.atttypid, d.*, a.attinhcount
         FROM changed c
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.relation AND a.attname = c.attname
         LEFT JOIN pg_catalog.pg_depend d
           ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.relation
          AND d.refobjsubid = a.attnum),
     -- A view stands for the rule that makes it; before 15 it is a generated column itself that depends, not
     -- its expression.
     direct AS (
       SELECT id, o.classid, o.objid, o.objsubid
         FROM users
         LEFT JOIN pg_catalog.pg_attrdef ad
           ON users.classid = 'pg_catalog.pg_attrdef'::regclass AND ad.oid = users.objid
         LEFT JOIN pg_catalog.pg_rewrite w
           ON users.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = users.objid
         LEFT JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
        CROSS JOIN LATERAL (
              SELECT CASE WHEN ad.oid IS NOT NULL OR v.oid IS NOT NULL
                          THEN 'pg_catalog.pg_class'::regclass::oid ELSE users.classid END,
                     coalesce(ad.adrelid, v.oid, users.objid),
                     coalesce(ad.adnum::int, users.objsubid)) o (classid, objid, objsubid)
        WHERE users.classid IN ('pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_trigger'::regclass,
                                'pg_catalog.pg_policy'::regclass, 'pg_catalog.pg_proc'::regclass,
                                'pg_catalog.pg_publication_rel'::regclass)
           OR (ad.oid IS NOT NULL AND (ad.adrelid, ad.adnum) <> (users.relation, users.attnum))
           OR (users.classid = 'pg_catalog.pg_class'::regclass
               AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
                            WHERE a.attrelid = users.objid AND a.attnum = users.objsubid AND a.attgenerated <> ''))),
     -- And what keeps those from being dropped, by itself or by their row type. Rules can go in circles.
     in_the_way AS (
       SELECT id, classid, objid, objsubid, 0 AS depth FROM direct
       UNION
       SELECT b.id, o.classid, o.objid, o.objsubid, b.depth + 1
         FROM in_the_way b
         LEFT JOIN pg_catalog.pg_class c
           ON b.classid = 'pg_catalog.pg_class'::regclass AND b.objsubid = 0 AND c.oid = b.objid
         LEFT JOIN pg_catalog.pg_type t ON t.oid = c.reltype
        CROSS JOIN LATERAL (VALUES (b.classid, b.objid, b.objsubid),
                                   ('pg_catalog.pg_type'::regclass::oid, t.oid, 0),
                                   ('pg_catalog.pg_type'::regclass::oid, t.typarray, 0)) r (classid, objid, objsubid)
         JOIN pg_catalog.pg_depend d
           ON d.refclassid = r.classid AND d.refobjid = r.objid AND (r.objsubid = 0 OR d.refobjsubid = r.objsubid)
          AND d.deptype = 'n'
         LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
         LEFT JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
        CROSS JOIN LATERAL (
              SELECT CASE WHEN v.oid IS NOT NULL THEN 'pg_catalog.pg_class'::regclass::oid ELSE d.classid END,
                     coalesce(v.oid, d.objid),
                     CASE WHEN v.oid IS NOT NULL THEN 0 ELSE d.objsubid END) o (classid, objid, objsubid)
        WHERE b.depth < 50 AND (o.classid, o.objid, o.objsubid) <> (b.classid, b.objid, b.objsubid)),
     -- The columns of a partition key, expressions too, depend on their table.
     fixed AS (
       SELECT users.id,
              CASE WHEN is_key THEN 'is in its partition key'
                   WHEN users.attinhcount > 1 THEN 'comes from several tables'
                   WHEN t.reloftype <> 0 THEN 'comes from the table''s type'
                   WHEN in_row THEN 'is part of the row type that a column of another table has' END AS why,
              pg_catalog.format_type(users.atttypid, NULL) AS domain,
              format('%I.%I.%I', n.nspname, t.relname, users.attname) AS what
         FROM users
         JOIN pg_catalog.pg_class t ON t.oid = users.relation
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        CROSS JOIN LATERAL (
              SELECT EXISTS (SELECT FROM pg_catalog.pg_depend d
                              WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = users.relation
                                AND d.objsubid = users.attnum AND d.refclassid = 'pg_catalog.pg_class'::regclass
                                AND d.refobjid = users.relation AND d.refobjsubid = 0
                                AND d.deptype = 'i') AS is_key,
                     EXISTS (SELECT FROM pg_catalog.pg_attribute a
                              WHERE a.atttypid = t.reltype AND a.attnum > 0 AND NOT a.attisdropped) AS in_row) k
        WHERE is_key OR users.attinhcount > 1 OR t.reloftype <> 0 OR in_row
           OR EXISTS (SELECT FROM integers WHERE integers.oid = users.atttypid AND integers.base <> integers.oid)),
     widened AS (
       SELECT id,
              string_agg(DISTINCT format('ALTER TABLE %I.%I ALTER COLUMN %I TYPE %s;', n.nspname, t.relname,
                                         above.attname, above.wanted), ' ') AS columns
         FROM above
         JOIN pg_catalog.pg_class t ON t.oid = above.relation
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        WHERE above.attinhcount = 0
        GROUP BY id),
     -- What depends on another one is to be dropped before it.
     obstacles AS (
       SELECT id, string_agg(i.what, ', ' ORDER BY i.depth DESC, i.what) AS what, count(*) AS count
         FROM (SELECT w.id,
                      CASE WHEN a.attgenerated <> ''
                           THEN format('generated column %I of %s', a.attname, a.attrelid::regclass)
                           ELSE pg_catalog.pg_describe_object(w.classid, w.objid, w.objsubid) END AS what,
                      max(w.depth) AS depth
                 FROM in_the_way w
                 LEFT JOIN pg_catalog.pg_attribute a
                   ON w.classid = 'pg_catalog.pg_class'::regclass AND a.attrelid = w.objid AND a.attnum = w.objsubid
                GROUP BY 1, 2) i
        GROUP BY id),
     barred AS (
       SELECT DISTINCT ON (id) id, what, why, domain FROM fixed ORDER BY id, why, what),
