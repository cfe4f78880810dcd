-- one row per half-year, area and offence at any offence level: the count, its rate, its limits and its rank, on a basis as in
-- rates_on. What a query may filter by stands in every step, so that a half-year and an offence reach the scan of the counts
with cells as (
    select
        m.area_key, m.level, q.half_year_key, q.half_year, r.rollup_key, r.offence_level, r.code as offence_code,
        r.name as offence_name, c.offences, c.is_known, 0 as fault_key,
    from crime_rates_core.count_history as c
    join crime_rates_core.area_members as m on m.member_key = c.area_key and m.basis = wanted_basis
    join crime_rates_core.basis_quarters as q
        on q.basis = wanted_basis and q.level = m.level and q.quarter_key = c.quarter_key
    join crime_rates_core.offence_rollup as r using (offence_key)
    where c.valid_from <= coalesce(as_of::date, date '9999-12-30') and c.valid_to > coalesce(as_of::date, date '9999-12-30')
    union all
    select
        area_key, level, half_year_key, half_year, rollup_key, offence_level, offence_code, offence_name, null, true, fault_key,
    from crime_rates_core.count_faults
    where basis = wanted_basis
        and valid_from <= coalesce(as_of::date, date '9999-12-30') and valid_to > coalesce(as_of::date, date '9999-12-30')
),
counts as (
    select
        area_key, level, half_year_key, half_year, rollup_key, offence_level, offence_code, any_value(offence_name) as offence_name,
        sum(offences)::bigint as offences, bool_and(is_known) as is_known, max(fault_key) as fault_key,
    from cells
    group by all
),
rated as (
    select
        c.*, p.population, p.population_year, p.population_vintage, p.population_method, p.release_id, p.blocking_status,
        p.note as area_note, a.is_whole, a.is_remainder, a.force_name, f.note as fault_note,
        case
            when p.blocking_status is not null then p.blocking_status
            when not c.is_known or f.fault = 'incomplete' then 'incomplete'
            when f.fault = 'implausible' then 'implausible'
            when p.population is null then 'no_population'
            when c.offences < 0 then 'negative'
            else 'ranked'
        end as status_alone,
        if(status_alone = 'ranked' and not a.is_whole, c.offences, null) as offences_compared,
    from counts as c
    join crime_rates_core.area_half_years_on(wanted_basis, as_of, population_year, population_vintage) as p
        using (area_key, level, half_year_key, half_year)
    join crime_rates_core.areas as a using (area_key)
    left join crime_rates_core.count_faults as f using (fault_key)
),
-- before names are joined: a rank sorts, and what it carries along is what it costs
ranks as (
    select
        *,
        max(offences_compared) over (
            partition by half_year_key, half_year, level, rollup_key, offence_level, offence_code
        ) as most_offences,
        if(status_alone = 'ranked' and if(is_whole, offences, most_offences) = 0, 'none_recorded', status_alone) as status,
        if(status = 'ranked', population, null)::double as rated_population,
        offences / rated_population * 10000 as rate_per_10k,
        rank() over (
            partition by half_year_key, half_year, level, rollup_key, offence_level, offence_code
            order by offences_compared / population desc nulls last
        ) as position,
        if(most_offences = 0, 0, count(offences_compared) over (
            partition by half_year_key, half_year, level, rollup_key, offence_level, offence_code
        )) as areas_ranked,
        sum(offences) over force_rows as force_offences,
        if(level = 'csp' and force_offences > 0, round(greatest(
            coalesce(sum(offences) filter (where is_remainder) over force_rows, 0), 0
        ) / force_offences, 4), null)::double as unassigned_share,
    from rated
    window force_rows as (
        partition by half_year_key, half_year, level, rollup_key, offence_level, offence_code, force_name
    )
)
select
    r.area_key, r.level, r.half_year_key, r.half_year, r.rollup_key, r.offence_level, r.offence_code, r.offence_name,
    r.offences, r.population, r.population_year, r.population_vintage, r.population_method, r.rate_per_10k,
    -- the 95% interval: exact below 10 offences (40_exact_poisson_limits.sql), by Byar's approximation from 10 up
    if(r.offences < 10, l.lower_limit, greatest(r.offences, 1) * pow(
        1 - 1 / (9.0 * r.offences) - 1.959963984540054 / (3 * sqrt(greatest(r.offences, 1))), 3
    )) / r.rated_population * 10000 as rate_lower_95,
    if(r.offences < 10, l.upper_limit, (r.offences + 1) * pow(
        1 - 1 / (9.0 * (r.offences + 1)) + 1.959963984540054 / (3 * sqrt(greatest(r.offences + 1, 1))), 3
    )) / r.rated_population * 10000 as rate_upper_95,
    if(r.status = 'ranked' and not r.is_whole, r.position, null)::integer as rank,
    r.areas_ranked::integer as areas_ranked,
    r.status,
    case
        when r.blocking_status is not null then null
        when r.status = 'incomplete' then coalesce(r.fault_note, 'the release says N/a for a count in this half-year')
        when r.status = 'implausible' then r.fault_note
        when r.status = 'negative' then 'corrections of earlier quarters exceed the offences recorded'
        when r.status = 'none_recorded' then 'no area that could have been ranked recorded any'
        when r.status = 'ranked' and r.is_whole then 'the other areas are parts of it, so it is not ranked among them'
        when r.status = 'ranked' then r.fault_note
    end as count_note,  -- what the count has to say; the area's note of the half-year stands besides or instead
    r.area_note, r.release_id, r.unassigned_share,
from ranks as r
left join crime_rates_core.exact_poisson_limits as l on l.events = r.offences
