-- one row per area and half-year: all that is the same for every offence, as it stood on a day and over a chosen population, on a
-- basis as in rates_on. It only looks up what 71_area_half_year_history.sql worked out, so that a query is planned quickly
with vintages as (
    select year, max(vintage) as vintage,
    from crime_rates_core.population_bases
    where vintage <= coalesce(as_of::date, date '9999-12-30') and vintage = coalesce(population_vintage::date, vintage)
    group by all
)
select
    c.area_key, c.half_year_key, c.half_year, c.level, c.release_id,
    coalesce(population_year::integer, c.start_year - 1) as population_year, v.vintage as population_vintage,
    if(c.blocking_status = 'unassigned', null, p.persons) as population,
    if(c.blocking_status = 'unassigned', null, p.method) as population_method,
    c.blocking_status,  -- what keeps a rank from it whatever the offence
    nullif(concat_ws('; ', case
        when c.blocking_status is not null then c.note
        when v.vintage is null then printf('no mid-%d population estimate is held', coalesce(population_year::integer, c.start_year - 1))
        when p.persons is null then coalesce(p.note, 'its councils are not known')
        else p.note
    end, c.remark), '') as note,
from crime_rates_core.area_half_year_history as c
left join vintages as v on v.year = coalesce(population_year::integer, c.start_year - 1)
left join crime_rates_core.area_populations as p
    on p.area_key = c.area_key and p.lookup_year = c.lookup_year and p.year = v.year and p.vintage = v.vintage
    and p.known_from <= coalesce(as_of::date, date '9999-12-30') and p.known_to > coalesce(as_of::date, date '9999-12-30')
where c.basis = wanted_basis
    and c.valid_from <= coalesce(as_of::date, date '9999-12-30') and c.valid_to > coalesce(as_of::date, date '9999-12-30')
