-- one row per level, area, quarter and offence code: the newest release's count
select
    a.level, a.area_code, a.area_name, q.financial_year, q.quarter, o.offence_code, c.offences, r.release_id,
from crime_rates_core.count_history as c
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.offences as o using (offence_key)
join crime_rates_core.quarters as q using (quarter_key)
join crime_rates_core.release_quarters as r
    on r.level = a.level and r.quarter_key = c.quarter_key and r.valid_to = date '9999-12-31'
where c.valid_to = date '9999-12-31'
