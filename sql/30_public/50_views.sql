-- one row per level, area, offence level and offence: the newest half-year of each level that is complete
create view latest_half_year as
select r.*,
from ranked_rates as r
join (select level, max(half_year) as half_year from half_years where complete group by level) as newest using (level, half_year);

-- one row per level, offence level, offence and area among the first ten ranks of the newest half-year that has ranks
create view top_areas as
select r.*,
from ranked_rates as r
join (select level, max(half_year) as half_year from ranked_rates where rank = 1 group by level) as newest using (level, half_year)
where r.rank <= 10;
