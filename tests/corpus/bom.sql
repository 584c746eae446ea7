select 1;
select '﻿';
copy t from stdin;
﻿1
\.