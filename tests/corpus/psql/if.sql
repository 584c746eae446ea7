SELECT current_setting('server_version_num')::int >= 90000 AS modern, false AS old, 'on' AS third \gset
\if :modern
CREATE TABLE modern (a int);
\if :old
CREATE TABLE wrong (a int);
\elif :third
CREATE TABLE third (a int);
\else
CREATE TABLE wrong (a int);
\endif
\else
CREATE TABLE old (a int);
SELECT 1 / 0;
\endif
\if :{?nothing}
CREATE TABLE wrong (a int);
\endif
CREATE TABLE either (
\if :old
  a int
\else
  b text
\endif
);
