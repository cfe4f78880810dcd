-- one row per release and quarter: the days on which it was the newest for its level
select q.level, q.quarter_key, q.valid_from, q.valid_to, r.release_key, r.release_id,
from stage.release_quarters as q
join stage.releases as r using (release_key, level)
