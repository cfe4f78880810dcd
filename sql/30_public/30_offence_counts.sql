-- one row per level, area, quarter and offence code: the newest release's count
select
    a.level, a.area_code, a.area_name,
    printf('%d/%02d', c.quarter_key // 4, (c.quarter_key // 4 + 1) % 100) as financial_year,
    (c.quarter_key % 4 + 1)::integer as quarter,
    o.offence_code, c.offences, q.release_id,
from crime_rates_core.count_history as c
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.offences as o using (offence_key)
join crime_rates_core.release_quarters as q
    on q.level = a.level and q.quarter_key = c.quarter_key and q.valid_to = date '9999-12-31'
where c.valid_to = date '9999-12-31'
