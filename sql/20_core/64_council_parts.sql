-- one row per area, lookup year, population set, council of it that lies only partly in the area, span of days, and part of that
-- council: its parts as they were estimated on their own for the year of the set, else for the nearest year (the later of two as
-- near), in the newest vintage that was out when the set was published. None where no parts will do. From the day on which the ONS
-- printed parts for that same year, these have that size, and the others share what they leave
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
    from shared_councils as c
    join parts as p using (area_key, lookup_year, council_code)
    group by c.area_key, c.lookup_year, c.council_code, c.units, p.part_set_key, p.part_year, p.part_vintage
    having sum(p.units_in_council) = c.units  -- every unit has a figure
        and bool_and(p.units = p.units_in_council)  -- no part reaches beyond the council
        and bool_and(p.units_in_area in (0, p.units))  -- and none is itself shared
),
nearest_divisions as (
    select c.set_key, c.year, c.vintage, c.council_name, c.persons, d.*,
    from crime_rates_core.area_councils as c
    join divisions as d
        on d.area_key = c.area_key and d.lookup_year = c.lookup_year and d.council_code = c.council_code
        and d.part_vintage <= c.vintage
    where c.units_inside < c.units
    qualify row_number() over (
        partition by c.area_key, c.lookup_year, c.set_key, c.council_code
        order by abs(d.part_year - c.year), d.part_year desc, d.part_vintage desc, d.part_set_key
    ) = 1
),
printed as (
    select part_code, year::integer as year, persons::bigint as printed_persons, published::date as printed_on,
    from input.council_part_populations
    qualify row_number() over (partition by part_code, year order by published desc) = 1
),
estimated_parts as (
    select
        d.area_key, d.lookup_year, d.set_key, d.year, d.vintage, d.council_code, d.council_name, d.persons,
        d.part_year, d.part_vintage, p.part_code, p.part_name, p.part_persons, p.part_source_file,
        p.units_in_area > 0 as is_inside, r.printed_persons,
        greatest(d.vintage, max(r.printed_on) over councils) as printed_from,
        coalesce(sum(r.printed_persons) over councils, 0) as persons_printed,
        sum(if(r.part_code is null, p.part_persons, 0)) over councils as persons_estimated,
        bool_and(r.part_code is not null) over councils as is_all_printed,
        max(r.printed_on) over councils as printed_on,
        string_agg(if(r.part_code is null, null, p.part_name), ', ') over councils as printed_names,
    from nearest_divisions as d
    join parts as p using (area_key, lookup_year, council_code, part_set_key)
    left join printed as r on r.part_code = p.part_code and r.year = d.year and d.part_year <> d.year
    window councils as (partition by d.area_key, d.lookup_year, d.set_key, d.council_code)
),
spans as (
    select
        area_key, lookup_year, set_key, council_code, council_name, persons, part_year, part_vintage, null as printed_names,
        part_code, part_name, part_persons, part_source_file, is_inside, false as is_printed,
        vintage as known_from,
        if(printed_on is null, date '9999-12-31', printed_from) as known_to,
    from estimated_parts
    where printed_on is null or printed_from > vintage
    union all
    select
        area_key, lookup_year, set_key, council_code, council_name, persons,
        if(is_all_printed, year, part_year), if(is_all_printed, printed_on, part_vintage), if(is_all_printed, null, printed_names),
        part_code, part_name,
        coalesce(printed_persons, round(greatest(persons - persons_printed, 0) * part_persons / nullif(persons_estimated, 0))::bigint),
        if(printed_persons is null, part_source_file, 'council_part_populations.csv'),
        is_inside, printed_persons is not null,
        printed_from, date '9999-12-31',
    from estimated_parts
    where printed_on is not null
),
sums as (
    select
        area_key, lookup_year, set_key, council_code, known_from,
        sum(part_persons) filter (where is_inside)::bigint as persons_inside,
        sum(part_persons)::bigint as persons_in_parts,
    from spans
    group by all
)
select
    p.*, s.persons_inside, s.persons_in_parts,
    s.persons_inside / s.persons_in_parts::double as share,
    round(p.persons * share)::bigint as persons_counted,  -- of the council in the area
from spans as p
join sums as s using (area_key, lookup_year, set_key, council_code, known_from)
