-- one row per area, lookup year, population set and span of days with the same parts known: the persons of all units of the
-- area, or null with the reason
with area_sizes as (
    select area_key, lookup_year, count(*) as units,
    from crime_rates_core.area_units
    group by all
),
apportioned as (
    select distinct
        area_key, lookup_year, set_key, council_code, known_from, known_to, persons_counted, share, part_year, part_vintage,
        printed_names,
    from crime_rates_core.council_parts
),
spans as (
    select area_key, lookup_year, set_key, vintage as known_from from crime_rates_core.area_councils
    union
    select area_key, lookup_year, set_key, known_from from apportioned
),
totals as (
    select
        c.area_key, c.lookup_year, c.set_key, s.known_from,
        sum(c.units_inside) as units,
        sum(if(c.units_inside = c.units, c.persons, a.persons_counted))::bigint as persons,
        bool_and(c.units_inside = c.units or a.share is not null) as is_complete,
        bool_or(c.units_inside < c.units) as is_shared,
        string_agg(
            if(a.share is null, null, printf(
                '%s split by its parts of mid-%d%s (%.2f%% of %s; parts published %s)',
                c.council_name, a.part_year, coalesce(printf(', %s as of mid-%d', a.printed_names, c.year), ''),
                100 * a.share, format('{:,}', c.persons), a.part_vintage
            )), '; ' order by c.council_code
        ) as shares,
        string_agg(
            if(c.units_inside < c.units and a.share is null, c.council_name, null), ', ' order by c.council_code
        ) as unsplit,
    from crime_rates_core.area_councils as c
    join spans as s using (area_key, lookup_year, set_key)
    left join apportioned as a
        on a.area_key = c.area_key and a.lookup_year = c.lookup_year and a.set_key = c.set_key
        and a.council_code = c.council_code and a.known_from <= s.known_from and a.known_to > s.known_from
    group by all
),
completed as (
    select
        z.area_key, z.lookup_year, s.set_key, s.year, coalesce(f.known_from, s.vintage) as known_from,
        if(f.is_complete and f.units = z.units, f.persons, null) as persons,  -- of all units, never of a part
        f.is_shared, f.shares, f.unsplit,
    from area_sizes as z
    cross join crime_rates_core.population_sets as s
    left join totals as f using (area_key, lookup_year, set_key)
)
select
    area_key, lookup_year, set_key, known_from,
    lead(known_from, 1, date '9999-12-31') over (partition by area_key, lookup_year, set_key order by known_from) as known_to,
    persons,
    case when persons is null then null when is_shared then 'apportioned' else 'sum' end as method,
    case
        when persons is not null and is_shared then 'population apportioned: ' || shares
        when unsplit is not null then 'no separate estimate was published for the part of ' || unsplit || ' that it covers'
        when persons is null then printf('mid-%d estimates on these boundaries lack some of its councils', year)
    end as note,
from completed
