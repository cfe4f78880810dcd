-- one row per area, quarter, offence code and value: from the day it was published until the day it was revised or dropped
select area_key, quarter_key, offence_key, offences, is_known, release_key, valid_from, valid_to,
from stage.count_versions
where is_published
union all
select
    e.area_key, e.quarter_key, e.offence_key, e.offences, e.rows = e.known_rows, q.release_key, q.valid_from, date '9999-12-31',
from stage.count_events as e
anti join stage.count_versions as v using (area_key, quarter_key, offence_key)
join stage.areas as a using (area_key)
join stage.release_quarters as q on q.level = a.level and q.quarter_key = e.quarter_key and q.seq = e.seq
