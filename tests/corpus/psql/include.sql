\set given 'to; them'
\i include/outer.sql
COMMENT ON TABLE outside IS :'from_outer';
\include_relative include/deep/rest.sql
