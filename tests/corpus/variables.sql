\set a 1
\set b 'it''s; "x"'
\set c one two   three
\set d
\set t_1 tab
\set e :a:c
\set f ':a' ":a" :'b' :"b"
\set ünï x
select :a, :'b', :"b", ':a', ":b", $$:a$$, :a::text, :c, :'d', :t_1, :e;
select :'e', :"f", :f, :'c', :'ünï';
select :nothing, :'nothing', :"nothing", a::int, b:=1, :, ::a, : a, x[1:2], x[:a:2];
select :{?a}, :{?nothing}, :{?, :{a}, :{?a;
};
\unset a
select :a, :{?a};
\set q 'select 1; select'
:q 2;
\set half ' \'open'
select :'half';
\set comment '-- x'
select 1 :comment; select 2;
select 3, :comment
4;
\set body '$$ ; $$'
select :body;
\set quoted '\'a;b\''
select :quoted, :quoted:quoted;
\set nested :quoted
select :nested;
\set self :self
\echo :a :b :'b' :"b" :c ':b' ":b" :{?b} :{?zz}
\echo a:b:c :nothing x:'c'y
\set n '\n\t\x41\101\\'
select :'n';
\set back 'a\\b'
select :'back', :"back";
\set percent 100% \set after 5
select :'percent', :after;
select (:after;) ; -- :after
/* :after */ select E':after\':after';
\set a b \\ select :'a';
