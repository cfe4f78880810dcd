-- one row per area, lookup year, population set, council of it that lies only partly in the area, and part of that council:
-- its parts as they last had estimates of their own that were out when the set was published. None where no parts will do
with shared_councils as (
    select distinct area_key, lookup_year, council_code, units,
    from crime_rates_core.area_councils
    where units_inside < units
),
parts as (
    select
        c.area_key, c.lookup_year, c.council_code, p.set_key as part_set_key, p.year as part_year, p.vintage as part_vintage,
        p.council_code as part_code, p.council_name as part_name, p.persons as part_persons, p.source_file as part_source_file,
        p.units,
        count(*) as units_in_council,
        count(a.unit) as units_in_area,
    from shared_councils as c
    join crime_rates_core.council_units as u using (council_code)
    join crime_rates_core.council_unit_populations as p using (unit)
    left join crime_rates_core.area_units as a
        on a.area_key = c.area_key and a.lookup_year = c.lookup_year and a.unit = u.unit
    group by all
),
divisions as (
    select
        c.area_key, c.lookup_year, c.council_code, p.part_set_key, p.part_year, p.part_vintage,
        sum(p.part_persons) filter (where p.units_in_area > 0)::bigint as persons_inside,
        sum(p.part_persons)::bigint as persons_in_parts,
    from shared_councils as c
    join parts as p using (area_key, lookup_year, council_code)
    group by c.area_key, c.lookup_year, c.council_code, c.units, p.part_set_key, p.part_year, p.part_vintage
    having sum(p.units_in_council) = c.units  -- every unit has a figure
        and bool_and(p.units = p.units_in_council)  -- no part reaches beyond the council
        and bool_and(p.units_in_area in (0, p.units))  -- and none is itself shared
),
newest_divisions as (
    select c.set_key, c.council_name, c.persons, d.*,
    from crime_rates_core.area_councils as c
    join divisions as d
        on d.area_key = c.area_key and d.lookup_year = c.lookup_year and d.council_code = c.council_code
        and d.part_vintage <= c.vintage
    where c.units_inside < c.units
    qualify row_number() over (
        partition by c.area_key, c.lookup_year, c.set_key, c.council_code
        order by d.part_year desc, d.part_vintage desc, d.part_set_key
    ) = 1
)
select
    d.area_key, d.lookup_year, d.set_key, d.council_code, d.council_name, d.persons,
    d.part_year, d.part_vintage, p.part_code, p.part_name, p.part_persons, p.part_source_file,
    p.units_in_area > 0 as is_inside,
    d.persons_inside, d.persons_in_parts,
    d.persons_inside / d.persons_in_parts::double as share,
    round(d.persons * share)::bigint as persons_counted,  -- of the council in the area
from newest_divisions as d
join parts as p using (area_key, lookup_year, council_code, part_set_key)
