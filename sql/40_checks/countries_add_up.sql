-- guards: England and Wales is its forces and the transport police; its regions are its forces
-- required: yes
with forces as (
    select half_year, offence_level, offence_code,
        sum(offences) filter (where region_name is not null) as forces,
        sum(offences) filter (where area_name = 'British Transport Police') as transport_police,
    from ranked_rates
    where level = 'pfa'
    group by all
),
wholes as (
    select half_year, offence_level, offence_code,
        sum(offences) filter (where level = 'region') as regions,
        sum(offences) filter (where level = 'country' and area_name <> 'England and Wales') as apart,
        sum(offences) filter (where level = 'country' and area_name = 'England and Wales') as together,
    from ranked_rates
    where level in ('region', 'country')
    group by all
)
from forces
join wholes using (half_year, offence_level, offence_code)
where coalesce(regions, 0) <> coalesce(forces, 0)
    or coalesce(apart, 0) <> coalesce(forces, 0)
    or coalesce(together, 0) <> coalesce(forces, 0) + coalesce(transport_police, 0)
