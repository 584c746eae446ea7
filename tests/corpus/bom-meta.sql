\echo bom
﻿
select 1