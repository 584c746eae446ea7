select E'a\'b;', e'\\', E'\\\';', E'a''b;';
select E'over
\'two; lines\\
';
select n'a;\', N'b;', b'01', B'1', x'ff', X'0F';
select U&'d\0061t\+000061;', u&'!0061' uescape '!', U&"a;\0062", u&"x;!0061" uescape '!';
select e'\';', name'\', type'a;';
select xe'a;\', e'b\';', _e'\', $1e'\', 1e5, 1e-5;
select E'\x27;\047', E'\u0027;', E'\t;\n';
select U&'a\';
select U&"b;\", 'c';
select u&'\''';
select date'2020-01-01', timestamp'2020-01-01 00:00:00;';
select E'' ';' ;
