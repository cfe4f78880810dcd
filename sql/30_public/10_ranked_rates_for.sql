-- one row per half-year, level, area, offence level and offence: counts as they stood on a day, over a chosen population.
-- wanted_basis: published or harmonised; as_of: a date or null (today's); population_year: null means the year before the
-- financial year starts (ONS convention); population_vintage: null means the newest that was out on that day
create macro crime_rates_core.rates_on(wanted_basis, as_of, population_year, population_vintage) as table
with halves as (
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
presence as (
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
counts as (
    select m.area_key, c.quarter_key // 2 as half_year_key, r.offence_level, r.code, r.name,
        sum(c.offences)::bigint as offences, bool_and(c.is_known) as is_known,
    from crime_rates_core.count_history as c
    join crime_rates_core.area_members as m on m.member_key = c.area_key and m.basis = wanted_basis
    join crime_rates_core.offence_rollup as r using (offence_key)
    where c.valid_from <= coalesce(as_of::date, date '9999-12-30') and c.valid_to > coalesce(as_of::date, date '9999-12-30')
    group by all
),
rated as (
    select
        h.half_year, h.period_start, h.period_end, a.level, a.area_code, a.area_name, a.force_name, a.region_name,
        c.offence_level, c.code as offence_code, c.name as offence_name, c.offences,
        if(a.kind = 'unassigned', null, p.persons) as population,
        b.year as population_year, b.vintage as population_vintage,
        if(a.kind = 'unassigned', null, p.method) as population_method,
        case
            when a.kind = 'unassigned' then 'unassigned'
            when a.kind = 'not_resident' then 'not_resident'
            when s.withdrawn is not null then 'withdrawn'
            when s.quarters < 2 or not s.is_whole or not c.is_known then 'incomplete'
            when p.persons is null then 'no_population'
            when c.offences < 0 then 'negative'
            else 'ranked'
        end as status,
        case status
            when 'unassigned' then 'not a place: offences that are recorded under no single area'
            when 'not_resident' then 'its residents are not its public: few live there, many work there and visit'
            when 'withdrawn' then s.withdrawn
            when 'incomplete' then case
                when s.quarters < 2 then printf(
                    'only quarter %d of quarters %d and %d is published', s.first_quarter, 2 * h.half - 1, 2 * h.half
                )
                when not s.is_whole then 'only some of its parts are published'
                else 'the release says N/a for a count in this half-year'
            end
            when 'no_population' then case
                when b.vintage is null then printf('no mid-%d population estimate is held', b.year)
                else coalesce(p.note, 'its councils are not known')
            end
            when 'negative' then 'corrections of earlier quarters exceed the offences recorded'
            else p.note
        end as status_note,
        halves.release_id,
        if(status = 'ranked', p.persons, null) as rated_population,
        if(c.offences < 10, l.lower_limit, greatest(c.offences, 1) * pow(
            1 - 1 / (9.0 * c.offences) - 1.959963984540054 / (3 * sqrt(greatest(c.offences, 1))), 3
        )) as lower_limit,
        if(c.offences < 10, l.upper_limit, (c.offences + 1) * pow(
            1 - 1 / (9.0 * (c.offences + 1)) + 1.959963984540054 / (3 * sqrt(greatest(c.offences + 1, 1))), 3
        )) as upper_limit,
    from counts as c
    join crime_rates_core.areas as a using (area_key)
    join crime_rates_core.half_years as h using (half_year_key)
    join halves
        on halves.level = if(a.level in ('region', 'country'), 'pfa', a.level) and halves.half_year_key = c.half_year_key
    join presence as s on s.area_key = c.area_key and s.half_year_key = c.half_year_key
    join bases as b on b.half_year_key = c.half_year_key
    left join crime_rates_core.area_populations as p
        on p.area_key = c.area_key and p.lookup_year = b.lookup_year and p.year = b.year and p.vintage = b.vintage
    left join crime_rates_core.poisson_limits as l on l.events = c.offences
),
rates as (
    select
        *,
        offences / rated_population::double * 10000 as rate_per_10k,
        lower_limit / rated_population * 10000 as rate_lower_95,
        upper_limit / rated_population * 10000 as rate_upper_95,
    from rated
)
select
    half_year, period_start, period_end, level, area_code, area_name, force_name, region_name,
    offence_level, offence_code, offence_name, offences, population,
    rates.population_year, rates.population_vintage,  -- qualified: the bare words are the macro's parameters
    population_method,
    rate_per_10k, rate_lower_95, rate_upper_95,
    if(status = 'ranked', rank() over (
        partition by half_year, level, offence_level, offence_code order by rate_per_10k desc nulls last
    ), null)::integer as rank,
    (count(rate_per_10k) over (partition by half_year, level, offence_level, offence_code))::integer as areas_ranked,
    status, status_note, release_id,
from rates;

-- the same on areas as published
create macro ranked_rates_for(as_of, population_year, population_vintage) as table
from crime_rates_core.rates_on('published', as_of, population_year, population_vintage);
