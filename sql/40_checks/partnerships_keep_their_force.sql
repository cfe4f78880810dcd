-- guards: a partnership stands under the force that data/reference/areas.csv gives it
-- required: no
select distinct c.release_id, c.area_name, c.force_name as published_force, a.force_name as known_force
from (select distinct release_id, level, area_name, force_name from stage.area_digests) as c
join stage.area_names as n on n.level = c.level and n.published_name = c.area_name
join stage.areas as a using (area_key)
join stage.area_names as f on f.level = 'pfa' and f.published_name = c.force_name
join stage.areas as g on g.area_key = f.area_key
where a.force_name <> g.area_name
