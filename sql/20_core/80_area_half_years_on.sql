-- one row per area and half-year: all that is the same for every offence, on a basis as in rates_on.
-- half_year stands in every step beside its key, so that a query for one half-year reads no other
with newest_releases as (
    select
        r.level, q.half_year_key, q.half_year, arg_max(r.release_id, r.quarter_key) as release_id,
    from crime_rates_core.release_quarters as r
    join crime_rates_core.quarters as q using (quarter_key)
    where r.valid_from <= coalesce(as_of::date, date '9999-12-30') and r.valid_to > coalesce(as_of::date, date '9999-12-30')
    group by all
),
extent_sizes as (
    select area_key, count(*) as units,
    from crime_rates_core.area_extents
    group by all
),
-- per area and quarter: whether what is published makes up the whole area, and what a note withdraws
area_quarters as (
    select
        m.area_key, q.quarter_key, q.half_year_key, q.half_year,
        bool_or(m.member_key = m.area_key) or count(distinct e.unit) = x.units as is_whole,
        string_agg(distinct w.note, '; ' order by w.note) as withdrawn,
    from crime_rates_core.area_quarters as p
    join crime_rates_core.quarters as q using (quarter_key)
    join crime_rates_core.area_members as m on m.member_key = p.area_key and m.basis = wanted_basis
    left join crime_rates_core.area_extents as e on e.area_key = p.area_key
    left join extent_sizes as x on x.area_key = m.area_key
    left join crime_rates_core.withdrawals as w
        on w.release_key = p.release_key and w.area_key = p.area_key and w.quarter_key = p.quarter_key
    where p.valid_from <= coalesce(as_of::date, date '9999-12-30') and p.valid_to > coalesce(as_of::date, date '9999-12-30')
    group by m.area_key, q.quarter_key, q.half_year_key, q.half_year, x.units
),
coverage as (
    select
        area_key, half_year_key, half_year,
        count(*) as quarters, min(quarter_key % 4 + 1) as first_quarter, bool_and(coalesce(is_whole, false)) as is_whole,
        string_agg(distinct withdrawn, '; ' order by withdrawn) as withdrawn,
    from area_quarters
    group by all
),
-- per half-year the population year and the vintage that divide
bases as (
    select
        h.half_year_key, h.half_year, h.half, l.lookup_year,
        coalesce(population_year::integer, h.start_year - 1) as year,
        max(b.vintage) as vintage,
    from crime_rates_core.half_years as h
    join crime_rates_core.year_lookups as l using (start_year)
    left join crime_rates_core.population_bases as b
        on b.year = coalesce(population_year::integer, h.start_year - 1)
        and b.vintage <= coalesce(as_of::date, date '9999-12-30')
        and b.vintage = coalesce(population_vintage::date, b.vintage)
    group by all
)
select
    c.area_key, c.half_year_key, c.half_year, a.level, r.release_id, b.year as population_year, b.vintage as population_vintage,
    if(a.kind = 'unassigned', null, p.persons) as population,
    if(a.kind = 'unassigned', null, p.method) as population_method,
    case
        when a.kind in ('unassigned', 'not_resident') then a.kind
        when c.withdrawn is not null then 'withdrawn'
        when c.quarters < 2 or not c.is_whole then 'incomplete'
    end as blocking_status,  -- what keeps a rank from it whatever the offence
    case
        when a.kind = 'unassigned' then 'not a place: offences that are recorded under no single area'
        when a.kind = 'not_resident' then 'its residents are not its public: few live there, many work there and visit'
        when c.withdrawn is not null then c.withdrawn
        when c.quarters < 2 then printf(
            'only quarter %d of quarters %d and %d is published', c.first_quarter, 2 * b.half - 1, 2 * b.half
        )
        when not c.is_whole then 'only some of its parts are published'
        when b.vintage is null then printf('no mid-%d population estimate is held', b.year)
        when p.persons is null then coalesce(p.note, 'its councils are not known')
        else p.note
    end as note,
from coverage as c
join crime_rates_core.areas as a using (area_key)
join newest_releases as r
    on r.level = if(a.level in ('region', 'country'), 'pfa', a.level)
    and r.half_year_key = c.half_year_key and r.half_year = c.half_year
join bases as b on b.half_year_key = c.half_year_key and b.half_year = c.half_year
left join crime_rates_core.area_populations as p
    on p.area_key = c.area_key and p.lookup_year = b.lookup_year and p.year = b.year and p.vintage = b.vintage
    and p.known_from <= coalesce(as_of::date, date '9999-12-30') and p.known_to > coalesce(as_of::date, date '9999-12-30')
