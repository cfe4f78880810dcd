-- guards: ranked_rates holds every count of offence_counts once at each official offence level, ranked or set aside
-- required: yes
with counts as (
    select level, printf('%s H%d', financial_year, (quarter + 1) // 2) as half_year, sum(offences) as offences,
    from offence_counts
    group by all
),
rates as (
    select level, half_year, offence_level, coalesce(sum(offences), 0) as offences,
    from ranked_rates
    where level in ('csp', 'pfa') and offence_level <> 'bundle'
    group by all
)
select level, half_year, offence_level, counts.offences as counted, rates.offences as rated,
from counts
full join rates using (level, half_year)
where coalesce(counts.offences, 0) is distinct from rates.offences
