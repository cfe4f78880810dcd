-- one row per population set, council of it and unit of that council
create table stage.populated_units as
select s.set_key, s.year, s.vintage, p.council_code, p.council_name, p.persons, p.source_file, u.unit, z.units,
from crime_rates_core.council_populations as p
join crime_rates_core.population_sets as s using (year, vintage, boundaries)
join crime_rates_core.council_units as u using (council_code)
join (select council_code, count(*) as units from crime_rates_core.council_units group by all) as z using (council_code);

-- one row per area, lookup year, population set and council of it that touches the area, and how many of its units lie inside
create table stage.area_councils as
select
    a.area_key, a.lookup_year, p.set_key, p.vintage, p.council_code, p.council_name, p.persons, p.units,
    count(*) as units_inside,
from crime_rates_core.area_units as a
join stage.populated_units as p using (unit)
group by all;

-- one row per area, lookup year, population set, council of it that lies only partly in the area, and part of that council:
-- its parts as they last had estimates of their own that were out when the set was published. None where no parts will do
create table crime_rates_core.council_parts as
with straddling as (
    select distinct area_key, lookup_year, council_code, units from stage.area_councils where units_inside < units
),
parts as (
    select
        t.area_key, t.lookup_year, t.council_code, p.set_key as part_set_key, p.year as part_year, p.vintage as part_vintage,
        p.council_code as part_code, p.council_name as part_name, p.persons as part_persons, p.source_file as part_source_file,
        p.units,
        count(*) as units_in_council,
        count(a.unit) as units_in_area,
    from straddling as t
    join crime_rates_core.council_units as u using (council_code)
    join stage.populated_units as p using (unit)
    left join crime_rates_core.area_units as a
        on a.area_key = t.area_key and a.lookup_year = t.lookup_year and a.unit = u.unit
    group by all
),
divisions as (
    select
        t.area_key, t.lookup_year, t.council_code, p.part_set_key, p.part_year, p.part_vintage,
        sum(p.part_persons) filter (where p.units_in_area > 0)::bigint as persons_inside,
        sum(p.part_persons)::bigint as persons_in_parts,
    from straddling as t
    join parts as p using (area_key, lookup_year, council_code)
    group by t.area_key, t.lookup_year, t.council_code, t.units, p.part_set_key, p.part_year, p.part_vintage
    having sum(p.units_in_council) = t.units  -- every unit has a figure
        and bool_and(p.units = p.units_in_council)  -- no part reaches beyond the council
        and bool_and(p.units_in_area in (0, p.units))  -- and none is itself shared
),
divided as (
    select t.set_key, t.council_name, t.persons, d.*,
    from stage.area_councils as t
    join divisions as d
        on d.area_key = t.area_key and d.lookup_year = t.lookup_year and d.council_code = t.council_code
        and d.part_vintage <= t.vintage
    where t.units_inside < t.units
    qualify row_number() over (
        partition by t.area_key, t.lookup_year, t.set_key, t.council_code
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
from divided as d
join parts as p using (area_key, lookup_year, council_code, part_set_key);

-- one row per area, lookup year and population set: the persons of all units of the area, or null with the reason
create table crime_rates_core.all_area_populations as
with area_sizes as (
    select area_key, lookup_year, count(*) as units from crime_rates_core.area_units group by all
),
apportioned as (
    select distinct area_key, lookup_year, set_key, council_code, persons_counted, share, part_year, part_vintage,
    from crime_rates_core.council_parts
),
found as (
    select
        t.area_key, t.lookup_year, t.set_key,
        sum(t.units_inside) as units,
        sum(if(t.units_inside = t.units, t.persons, a.persons_counted))::bigint as persons,
        bool_and(t.units_inside = t.units or a.share is not null) as is_complete,
        bool_or(t.units_inside < t.units) as is_shared,
        string_agg(
            if(a.share is null, null, printf(
                '%s split by its parts of mid-%d (%.2f%% of %s; parts published %s)',
                t.council_name, a.part_year, 100 * a.share, format('{:,}', t.persons), a.part_vintage
            )), '; ' order by t.council_code
        ) as shares,
        string_agg(
            if(t.units_inside < t.units and a.share is null, t.council_name, null), ', ' order by t.council_code
        ) as unsplit,
    from stage.area_councils as t
    left join apportioned as a using (area_key, lookup_year, set_key, council_code)
    group by all
),
whole as (
    select
        z.area_key, z.lookup_year, s.set_key, s.year,
        if(f.is_complete and f.units = z.units, f.persons, null) as persons,  -- of all units, never of a part
        f.is_shared, f.shares, f.unsplit,
    from area_sizes as z
    cross join crime_rates_core.population_sets as s
    left join found as f using (area_key, lookup_year, set_key)
)
select
    area_key, lookup_year, set_key, persons,
    case when persons is null then null when is_shared then 'apportioned' else 'sum' end as method,
    case
        when persons is not null and is_shared then 'population apportioned: ' || shares
        when unsplit is not null then 'no separate estimate was published for the part of ' || unsplit || ' that it covers'
        when persons is null then printf('mid-%d estimates on these boundaries lack some of its councils', year)
    end as note,
from whole;

-- one row per mid-year and vintage: the one set of boundaries that resolves best, councils of a vintage taken together
create table crime_rates_core.population_bases as
with scores as (
    select
        s.vintage, s.boundaries,
        count(*) filter (where p.method = 'sum') as sums, count(*) filter (where p.method = 'apportioned') as splits,
        count(distinct s.year) as years,
    from crime_rates_core.population_sets as s
    join crime_rates_core.all_area_populations as p using (set_key)
    group by all
)
select s.year, s.vintage, s.boundaries, s.set_key,
from crime_rates_core.population_sets as s
left join scores as c using (vintage, boundaries)
qualify row_number() over (
    partition by s.year, s.vintage order by c.sums / c.years desc nulls last, c.splits desc, s.boundaries
) = 1;

create table crime_rates_core.area_populations as
select p.area_key, p.lookup_year, b.year, b.vintage, b.boundaries, p.persons, p.method, p.note,
from crime_rates_core.all_area_populations as p
join crime_rates_core.population_bases as b using (set_key);

-- one row per financial year: the lookup whose period covers it (the newest that is not later than it, else the oldest)
create table crime_rates_core.year_lookups as
select
    f.start_year,
    coalesce(max(if(y.lookup_year <= f.start_year, y.lookup_year, null)), min(y.lookup_year)) as lookup_year,
from (
    select start_year from crime_rates_core.half_years
    union
    select year + 1 from crime_rates_core.population_sets
) as f
cross join crime_rates_core.lookup_years as y
group by all;
