-- guards: for every half-year a mid-year estimate is held
-- required: no
with without as (
    select distinct level, half_year, population_year
    from ranked_rates
    where population_vintage is null and status = 'no_population'
)
select printf(
    '%s: %s to %s (%d half-years) cannot be ranked, no estimates for mid-%d to mid-%d are held',
    level, min(half_year), max(half_year), count(*), min(population_year), max(population_year)
) as finding
from without
group by level
