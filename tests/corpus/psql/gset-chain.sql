CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, parent int);
INSERT INTO t (parent) VALUES (NULL) RETURNING id AS first \gset
INSERT INTO t (parent) VALUES (:first) RETURNING id \gset second_
INSERT INTO t (parent) SELECT :second_id;
SELECT count(*) AS n FROM t \gset
COMMENT ON TABLE t IS :'n';
