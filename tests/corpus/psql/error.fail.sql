\echo begun
CREATE TABLE t (a int);
DO $$ BEGIN RAISE EXCEPTION 'stop; here'; END $$;
\echo not reached
CREATE TABLE u (a int);
