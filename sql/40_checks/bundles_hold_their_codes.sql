-- guards: a bundle of offences counts what its codes count, area by area and half-year by half-year
-- required: yes
with parts as (
    select r.level, r.half_year, r.area_name, b.code as offence_code, sum(r.offences) as offences,
    from ranked_rates as r
    join crime_rates_core.offences as o using (offence_code)
    join crime_rates_core.offence_rollup as b on b.offence_key = o.offence_key and b.offence_level = 'bundle'
    where r.offence_level = 'code'
    group by all
),
bundles as (
    select level, half_year, area_name, offence_code, offences,
    from ranked_rates
    where offence_level = 'bundle'
)
select level, half_year, area_name, offence_code, parts.offences as counted, bundles.offences as rated,
from parts
full join bundles using (level, half_year, area_name, offence_code)
where coalesce(parts.offences, 0) is distinct from coalesce(bundles.offences, 0)
