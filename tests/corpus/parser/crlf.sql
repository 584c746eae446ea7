SELECT 1;
SELECT 'a;
b',
  2 -- c;
;
/* ;
*/ SELECT 3;
CREATE RULE r AS ON INSERT TO t DO ALSO (
  SELECT 1;
  SELECT 2
);
