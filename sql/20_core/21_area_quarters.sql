-- one row per area, quarter and release: that the release has figures for it, and while it stood
select c.area_key, c.quarter_key, c.release_key, q.valid_from, q.valid_to,
from stage.area_quarters as c
join stage.release_quarters as q using (release_key, quarter_key)
