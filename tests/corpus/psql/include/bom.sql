-- with a mark
INSERT INTO t VALUES (2);
