/* first; */ select 1 /* ; */; /* /* nested; */ ; */ select 2;
/* over
two; 'lines
*/
select /* ' */ 3 -- ; "
, 4 --' $$
;
-- select 5;
--
select 6--;
;
select 7 /* a -- b */ ; -- /*
select 8 - -1, 9--1
+1;
select 10 */* x; */ 2;
select 11 /**/ /***/ /*/*/**/*/*/ ;
select '/*' /* '*/, '*/';
select 1 /-- x;
2;
select 1 +/*;*/- 2, 1 @-- ;
3;
/* $$ */ select 12; /* last */
-- last; '
