/* one; /* two; */ three; */ SELECT 1 /* ; /* /* */ ; */ ' */; -- four;
SELECT 2 -- '
/* " */ + 1 /**/ ; SELECT/*;*/3;/*;*/SELECT 4--;
;
--;
SELECT 1 - -1, 2 */*;*/ 3, '--', '/*', "*/" FROM (SELECT 1 AS "*/") AS "--";
SELECT 5 /***/ + /*/**/*/ 6;
;; /* nothing */ ;
SELECT 7 -- the end
