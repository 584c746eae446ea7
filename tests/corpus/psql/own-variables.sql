CREATE TABLE t AS SELECT :'USER' = current_user AS a, :'DBNAME' = current_database() AS b,
  :SERVER_VERSION_NUM = current_setting('server_version_num')::int AS c, :'ENCODING' AS d;
INSERT INTO t (d) SELECT 'x' FROM generate_series(1, 7);
INSERT INTO t (d) VALUES (:'ROW_COUNT'), (:'SQLSTATE'), (:'ERROR'), (:'LAST_ERROR_SQLSTATE');
\if :ERROR
DROP TABLE t;
\endif
