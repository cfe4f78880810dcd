-- one row per half-year, level, area, offence level and offence: the newest figures over the default population
select
    h.half_year, h.period_start, h.period_end, h.level, a.area_code, a.area_name, a.force_name, a.region_name,
    o.offence_level, o.offence_code, o.offence_name, f.offences, p.population,
    p.population_year, p.population_vintage, p.population_method,
    f.rate_per_10k, f.rate_lower_95, f.rate_upper_95, f.rank, f.areas_ranked, f.status,
    coalesce(f.count_note, p.note) as status_note,
    p.release_id,
from rate_facts as f
join half_years as h using (half_year_key)
join areas as a using (area_key)
join offences as o using (offence_key)
join area_half_years as p using (half_year_key, area_key)
