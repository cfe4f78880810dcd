-- one row per financial year: the lookup whose period covers it (the newest that is not later than it, else the oldest)
select
    f.start_year,
    coalesce(max(if(y.lookup_year <= f.start_year, y.lookup_year, null)), min(y.lookup_year)) as lookup_year,
from (
    select start_year from crime_rates_core.half_years
    union
    select year + 1 from crime_rates_core.population_sets
) as f
cross join crime_rates_core.lookup_years as y
group by all
