-- one row per half-year, level, area, offence level and offence: counts as they stood on a day, over a chosen population.
-- wanted_basis: published or harmonised; as_of: a date or null (today's); population_year: null means the year before the
-- financial year starts (ONS convention); population_vintage: null means the newest that was out on that day
with newest_releases as (
    select
        q.level, q.quarter_key // 2 as half_year_key, arg_max(q.release_id, q.quarter_key) as release_id,
    from crime_rates_core.release_quarters as q
    where q.valid_from <= coalesce(as_of::date, date '9999-12-30') and q.valid_to > coalesce(as_of::date, date '9999-12-30')
    group by all
),
-- per area and quarter: whether what is published makes up the whole area, and what a note withdraws
quarters as (
    select
        m.area_key, q.quarter_key,
        bool_or(m.member_key = m.area_key) or count(distinct e.unit) = x.units as is_whole,
        string_agg(distinct w.note, '; ' order by w.note) as withdrawn,
    from crime_rates_core.area_quarters as q
    join crime_rates_core.area_members as m on m.member_key = q.area_key and m.basis = wanted_basis
    left join crime_rates_core.area_extents as e on e.area_key = q.area_key
    left join (select area_key, count(*) as units from crime_rates_core.area_extents group by all) as x
        on x.area_key = m.area_key
    left join crime_rates_core.withdrawals as w
        on w.release_key = q.release_key and w.area_key = q.area_key and w.quarter_key = q.quarter_key
    where q.valid_from <= coalesce(as_of::date, date '9999-12-30') and q.valid_to > coalesce(as_of::date, date '9999-12-30')
    group by m.area_key, q.quarter_key, x.units
),
coverage as (
    select
        area_key, quarter_key // 2 as half_year_key,
        count(*) as quarters, min(quarter_key % 4 + 1) as first_quarter, bool_and(coalesce(is_whole, false)) as is_whole,
        string_agg(distinct withdrawn, '; ' order by withdrawn) as withdrawn,
    from quarters
    group by all
),
-- per half-year the population year and the vintage that divide
bases as (
    select
        h.half_year_key, l.lookup_year,
        coalesce(population_year::integer, h.start_year - 1) as year,
        max(b.vintage) as vintage,
    from crime_rates_core.half_years as h
    join crime_rates_core.year_lookups as l using (start_year)
    left join crime_rates_core.population_bases as b
        on b.year = coalesce(population_year::integer, h.start_year - 1)
        and b.vintage <= coalesce(as_of::date, date '9999-12-30')
        and b.vintage = coalesce(population_vintage::date, b.vintage)
    group by all
),
-- all that is the same for every offence of an area in a half-year
area_half_years as (
    select
        s.area_key, s.half_year_key, h.half_year, a.level, newest.release_id, b.year, b.vintage,
        if(a.kind = 'unassigned', null, p.persons) as population,
        if(a.kind = 'unassigned', null, p.method) as method,
        case
            when a.kind in ('unassigned', 'not_resident') then a.kind
            when s.withdrawn is not null then 'withdrawn'
            when s.quarters < 2 or not s.is_whole then 'incomplete'
        end as blocking_status,  -- what keeps a rank from it whatever the offence
        case
            when a.kind = 'unassigned' then 'not a place: offences that are recorded under no single area'
            when a.kind = 'not_resident' then 'its residents are not its public: few live there, many work there and visit'
            when s.withdrawn is not null then s.withdrawn
            when s.quarters < 2 then printf(
                'only quarter %d of quarters %d and %d is published', s.first_quarter, 2 * h.half - 1, 2 * h.half
            )
            when not s.is_whole then 'only some of its parts are published'
            when b.vintage is null then printf('no mid-%d population estimate is held', b.year)
            when p.persons is null then coalesce(p.note, 'its councils are not known')
            else p.note
        end as note,
    from coverage as s
    join crime_rates_core.areas as a using (area_key)
    join crime_rates_core.half_years as h using (half_year_key)
    join newest_releases as newest
        on newest.level = if(a.level in ('region', 'country'), 'pfa', a.level) and newest.half_year_key = s.half_year_key
    join bases as b on b.half_year_key = s.half_year_key
    left join crime_rates_core.area_populations as p
        on p.area_key = s.area_key and p.lookup_year = b.lookup_year and p.year = b.year and p.vintage = b.vintage
),
counts as (
    select m.area_key, c.quarter_key // 2 as half_year_key, r.rollup_key,
        sum(c.offences)::bigint as offences, bool_and(c.is_known) as is_known,
    from crime_rates_core.count_history as c
    join crime_rates_core.area_members as m on m.member_key = c.area_key and m.basis = wanted_basis
    join crime_rates_core.offence_rollup as r using (offence_key)
    where c.valid_from <= coalesce(as_of::date, date '9999-12-30') and c.valid_to > coalesce(as_of::date, date '9999-12-30')
    group by all
),
rated as (
    select
        c.area_key, c.half_year_key, p.level, c.rollup_key, c.offences, p.population,
        case
            when p.blocking_status is not null then p.blocking_status
            when not c.is_known then 'incomplete'
            when p.population is null then 'no_population'
            when c.offences < 0 then 'negative'
            else 'ranked'
        end as status,
        if(status = 'ranked', p.population, null)::double as rated_population,
        c.offences / rated_population * 10000 as rate_per_10k,
    from counts as c
    join area_half_years as p using (area_key, half_year_key)
),
-- before names are joined: a rank sorts, and what it carries along is what it costs
ranks as (
    select
        *,
        rank() over (partition by half_year_key, level, rollup_key order by rate_per_10k desc nulls last) as position,
        count(rate_per_10k) over (partition by half_year_key, level, rollup_key) as areas_ranked,
    from rated
)
select
    h.half_year, h.period_start, h.period_end, r.level, a.area_code, a.area_name, a.force_name, a.region_name,
    o.offence_level, o.code as offence_code, o.name as offence_name, r.offences, r.population,
    p.year as population_year, p.vintage as population_vintage, p.method as population_method,
    r.rate_per_10k,
    if(r.offences < 10, l.lower_limit, greatest(r.offences, 1) * pow(
        1 - 1 / (9.0 * r.offences) - 1.959963984540054 / (3 * sqrt(greatest(r.offences, 1))), 3
    )) / r.rated_population * 10000 as rate_lower_95,
    if(r.offences < 10, l.upper_limit, (r.offences + 1) * pow(
        1 - 1 / (9.0 * (r.offences + 1)) + 1.959963984540054 / (3 * sqrt(greatest(r.offences + 1, 1))), 3
    )) / r.rated_population * 10000 as rate_upper_95,
    if(r.status = 'ranked', r.position, null)::integer as rank,
    r.areas_ranked::integer as areas_ranked,
    r.status,
    case
        when p.blocking_status is not null then p.note
        when r.status = 'incomplete' then 'the release says N/a for a count in this half-year'
        when r.status = 'negative' then 'corrections of earlier quarters exceed the offences recorded'
        else p.note
    end as status_note,
    p.release_id,
from ranks as r
join area_half_years as p using (area_key, half_year_key)
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.half_years as h using (half_year_key)
join (select distinct rollup_key, offence_level, code, name from crime_rates_core.offence_rollup) as o using (rollup_key)
left join crime_rates_core.poisson_limits as l on l.events = r.offences
