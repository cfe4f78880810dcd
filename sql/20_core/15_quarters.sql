-- one row per quarter that any release covers, with the half-year that it belongs to
select distinct
    quarter_key, (quarter_key // 2)::integer as half_year_key, h.half_year,
    printf('%d/%02d', quarter_key // 4, (quarter_key // 4 + 1) % 100) as financial_year,
    (quarter_key % 4 + 1)::integer as quarter,
from stage.release_quarters as q
join crime_rates_core.half_years as h on h.half_year_key = q.quarter_key // 2
