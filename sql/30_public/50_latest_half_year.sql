-- one row per level, area, offence level and offence: the newest half-year of each level that is complete
select r.*,
from ranked_rates as r
join (select level, max(half_year) as half_year from half_years where complete group by level) as newest using (level, half_year)
