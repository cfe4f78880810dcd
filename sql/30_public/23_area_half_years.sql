-- one row per half-year, level and area: what is the same for every offence. An area that stood in pieces has a row too:
-- harmonised figures divide by its people
with area_half_years as (
    from crime_rates_core.area_half_years_on('published', null, null, null)
    union
    from crime_rates_core.area_half_years_on('harmonised', null, null, null)
)
select
    h.half_year_key, p.area_key, p.population, p.population_year, p.population_vintage, p.population_method, p.note, p.release_id,
from area_half_years as p
join half_years as h using (half_year, level)
