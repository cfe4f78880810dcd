-- one row per release and the one that it replaced for some quarter
select distinct q.previous_key as from_key, q.release_key as to_key, f.release_id as from_release, t.release_id as to_release,
from stage.release_quarters as q
join stage.releases as f on f.release_key = q.previous_key
join stage.releases as t on t.release_key = q.release_key
