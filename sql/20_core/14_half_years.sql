-- one row per half-year of the calendar that any release touches
select distinct
    (quarter_key // 2)::integer as half_year_key,
    (quarter_key // 4)::integer as start_year,
    (quarter_key // 2 % 2 + 1)::integer as half,
    printf('%d/%02d H%d', start_year, (start_year + 1) % 100, half) as half_year,
    make_date(start_year, if(half = 1, 4, 10), 1) as period_start,
    if(half = 1, make_date(start_year, 9, 30), make_date(start_year + 1, 3, 31)) as period_end,
from stage.release_quarters
