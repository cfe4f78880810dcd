-- guards: every area name of every release is in data/reference/areas.csv for its year
-- required: yes
select distinct c.release_id, c.level, c.financial_year, c.area_name,
from (select distinct release_id, level, financial_year, area_name from stage.area_digests) as c
left join stage.area_names as n
    on n.level = c.level and n.published_name = c.area_name and c.financial_year between n.valid_from and n.valid_to
where n.area_key is null
