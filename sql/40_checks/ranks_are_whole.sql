-- guards: each table's ranks start at 1, are as many as areas_ranked says, and follow the rates
-- required: yes
with ranked as (
    select half_year, level, offence_level, offence_code, areas_ranked, rank, rate_per_10k,
        1 + count(*) over (
            partition by half_year, level, offence_level, offence_code
            order by rate_per_10k desc range between unbounded preceding and current row exclude group
        ) as expected_rank,
        count(*) over (partition by half_year, level, offence_level, offence_code) as expected_areas,
    from ranked_rates
    where status = 'ranked'
)
from ranked
where rank is distinct from expected_rank or areas_ranked is distinct from expected_areas
