-- one row per area, lookup year and population set: the persons of all units of the area, or null with the reason
create table crime_rates_core.all_area_populations as
with council_sizes as (
    select council_code, count(*) as units from crime_rates_core.council_units group by all
),
populated as (
    select s.set_key, s.year, s.vintage, p.council_code, p.council_name, p.persons, u.unit, z.units,
    from crime_rates_core.council_populations as p
    join crime_rates_core.population_sets as s using (year, vintage, boundaries)
    join crime_rates_core.council_units as u using (council_code)
    join council_sizes as z using (council_code)
),
-- each council of a set that touches an area, and how many of its units lie in it
touching as (
    select
        a.area_key, a.lookup_year, p.set_key, p.year, p.vintage, p.council_code, p.council_name, p.persons, p.units,
        count(*) as units_inside,
    from crime_rates_core.area_units as a
    join populated as p using (unit)
    group by all
),
-- a council that lies partly in the area: which share of it, by its last separately published parts
straddling as (
    select distinct area_key, lookup_year, council_code, units from touching where units_inside < units
),
parts as (
    select
        t.area_key, t.lookup_year, t.council_code, p.set_key, p.year, p.vintage, p.council_code as part_code,
        p.persons, p.units,
        count(*) as units_in_council,
        count(a.unit) as units_in_area,
    from straddling as t
    join crime_rates_core.council_units as u using (council_code)
    join populated as p using (unit)
    left join crime_rates_core.area_units as a
        on a.area_key = t.area_key and a.lookup_year = t.lookup_year and a.unit = u.unit
    group by all
),
shares as (
    select
        t.area_key, t.lookup_year, t.council_code, p.year, p.vintage,
        sum(p.persons) filter (where p.units_in_area > 0) / sum(p.persons)::double as share,
    from straddling as t
    join parts as p using (area_key, lookup_year, council_code)
    group by t.area_key, t.lookup_year, t.council_code, t.units, p.set_key, p.year, p.vintage
    having sum(p.units_in_council) = t.units  -- every unit has a figure
        and bool_and(p.units = p.units_in_council)  -- no part reaches beyond the council
        and bool_and(p.units_in_area in (0, p.units))  -- and none is itself shared
),
apportioned as (
    select t.*, s.share, s.year as share_year, s.vintage as share_vintage,
    from touching as t
    join shares as s
        on s.area_key = t.area_key and s.lookup_year = t.lookup_year and s.council_code = t.council_code
        and s.vintage <= t.vintage
    where t.units_inside < t.units
    qualify row_number() over (
        partition by t.area_key, t.lookup_year, t.set_key, t.council_code order by s.year desc, s.vintage desc
    ) = 1
),
area_sizes as (
    select area_key, lookup_year, count(*) as units from crime_rates_core.area_units group by all
),
found as (
    select
        t.area_key, t.lookup_year, t.set_key,
        sum(t.units_inside) as units,
        sum(if(t.units_inside = t.units, t.persons, round(t.persons * a.share)))::bigint as persons,
        bool_and(t.units_inside = t.units or a.share is not null) as is_complete,
        bool_or(t.units_inside < t.units) as is_shared,
        string_agg(
            if(a.share is null, null, printf(
                '%s split by its parts of mid-%d (%.2f%% of %s; parts published %s)',
                t.council_name, a.share_year, 100 * a.share, format('{:,}', t.persons), a.share_vintage
            )), '; ' order by t.council_code
        ) as shares,
        string_agg(
            if(t.units_inside < t.units and a.share is null, t.council_name, null), ', ' order by t.council_code
        ) as unsplit,
    from touching as t
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
