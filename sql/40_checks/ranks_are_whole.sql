-- guards: each table's ranks start at 1, are as many as areas_ranked says, and follow the rates; no table of noughts and no whole has any
-- required: yes
with ranked as (
    select half_year, level, area_name, offence_level, offence_code, areas_ranked, rank, rate_per_10k,
        1 + count(*) over (
            partition by half_year, level, offence_level, offence_code
            order by rate_per_10k desc range between unbounded preceding and current row exclude group
        ) as expected_rank,
        count(*) over (partition by half_year, level, offence_level, offence_code) as expected_areas,
        max(offences) over (partition by half_year, level, offence_level, offence_code) as most_offences,
    from ranked_rates
    where status = 'ranked' and not (level = 'country' and area_name = 'England and Wales')
)
from ranked
where rank is distinct from expected_rank or areas_ranked is distinct from expected_areas or most_offences = 0
union all
select half_year, level, area_name, offence_level, offence_code, areas_ranked, rank, rate_per_10k, null, null, offences,
from ranked_rates
where level = 'country' and area_name = 'England and Wales' and rank is not null
