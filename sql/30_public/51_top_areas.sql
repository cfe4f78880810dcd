-- one row per level, offence level, offence and area that recorded any, among the first ten ranks of the newest half-year that has ranks
select r.*,
from ranked_rates as r
join (select level, max(half_year) as half_year from ranked_rates where rank = 1 group by level) as newest using (level, half_year)
where r.rank <= 10 and r.offences > 0
