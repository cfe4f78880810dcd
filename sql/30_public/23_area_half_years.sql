-- one row per half-year, level and area: what is the same for every offence. An area that stood in pieces has a row too:
-- harmonised figures divide by its people
with area_half_years as (
    from crime_rates_core.area_half_years_on('published', null, null, null)
    union
    from crime_rates_core.area_half_years_on('pieced', null, null, null)
)
select
    h.half_year_key, p.area_key, h.half_year, h.period_start, h.period_end, h.level,
    a.area_code, a.area_name, a.force_name, a.region_name,
    p.population, p.population_year, p.population_vintage, p.population_method, p.note, p.release_id,
from area_half_years as p
join half_years as h using (half_year, level)
join areas as a using (area_key, level)
