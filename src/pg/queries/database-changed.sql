-- Whether transactions from number $1 up to but not including $2 have made or changed anything in the
-- connected database that is not a row of an existing table. Run on connections whose search_path is
-- the user's, so everything is qualified, operators too.
SELECT EXISTS (
         SELECT
           FROM (
             SELECT c.xmin FROM pg_catalog.pg_class c
             UNION ALL SELECT n.xmin FROM pg_catalog.pg_namespace n
             UNION ALL SELECT p.xmin FROM pg_catalog.pg_proc p
             UNION ALL SELECT t.xmin FROM pg_catalog.pg_type t
             UNION ALL SELECT d.xmin FROM pg_catalog.pg_depend d
             UNION ALL SELECT d.xmin FROM pg_catalog.pg_description d
             UNION ALL SELECT e.xmin FROM pg_catalog.pg_extension e
             UNION ALL SELECT e.xmin FROM pg_catalog.pg_event_trigger e
             UNION ALL SELECT a.xmin FROM pg_catalog.pg_default_acl a
             UNION ALL SELECT l.xmin FROM pg_catalog.pg_largeobject_metadata l
             UNION ALL SELECT p.xmin FROM pg_catalog.pg_publication p) x (xmin)
          WHERE ((x.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) $1::pg_catalog.int8)
                   OPERATOR(pg_catalog.&) 4294967295)
                OPERATOR(pg_catalog.<) ($2::pg_catalog.int8 OPERATOR(pg_catalog.-) $1::pg_catalog.int8))
