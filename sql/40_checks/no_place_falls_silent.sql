-- guards: a place does not fall below a tenth of its own total of a year before; a note that withdraws figures may be missing
-- required: no
with totals as (
    select level, area_name, half_year, offences, status,
        max(offences) over (
            partition by level, area_name
            order by period_start range between interval 1 year preceding and interval 1 year preceding
        ) as year_before,
    from ranked_rates
    where offence_level = 'total'
)
select level, area_name, half_year, year_before, offences
from totals
where status = 'ranked' and year_before >= 50 and offences < year_before / 10.0
