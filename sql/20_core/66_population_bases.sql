-- one row per mid-year and vintage: the one set of boundaries that resolves best, councils of a vintage taken together
with scores as (
    select
        s.vintage, s.boundaries,
        count(*) filter (where p.method = 'sum') as sums, count(*) filter (where p.method = 'apportioned') as splits,
        count(distinct s.year) as years,
    from crime_rates_core.population_sets as s
    join crime_rates_core.all_area_populations as p using (set_key)
    where p.known_to = date '9999-12-31'
    group by all
)
select s.year, s.vintage, s.boundaries, s.set_key,
from crime_rates_core.population_sets as s
left join scores as c using (vintage, boundaries)
qualify row_number() over (
    partition by s.year, s.vintage order by c.sums / c.years desc nulls last, c.splits desc, s.boundaries
) = 1
