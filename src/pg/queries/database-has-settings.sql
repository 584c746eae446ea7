-- Whether a new session of this database would begin with settings that ALTER DATABASE or ALTER ROLE
-- made. Run on connections whose search_path is the user's, so everything is qualified.
SELECT EXISTS (
         SELECT
           FROM pg_catalog.pg_db_role_setting s
          WHERE s.setdatabase OPERATOR(pg_catalog.=) (
                  SELECT d.oid
                    FROM pg_catalog.pg_database d
                   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
             OR s.setrole OPERATOR(pg_catalog.=) (
                  SELECT r.oid
                    FROM pg_catalog.pg_roles r
                   WHERE r.rolname OPERATOR(pg_catalog.=) current_user))
