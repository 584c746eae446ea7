\echo plain
\echo 'quoted  ; text' "double  ""x" "back\slash"
\echo -n without
\echo ' newline'
\qecho to the query output
\warn to the other stream
\set a 1 2 '3 4'
\echo :a - :'a' - :"a"
\echo 'tab\tnew\nline\x41\101'
\echo
\echo it''s '' "" x:y :nothing \\ \echo more on the line
