-- one row per half-year, level, area, offence level and offence: counts as they stood on a day, over a chosen population.
-- wanted_basis: published or harmonised; as_of: a date or null (today's); population_year: null means the year before the
-- financial year starts (ONS convention); population_vintage: null means the newest that was out on that day
select
    f.half_year, h.period_start, h.period_end, f.level, a.area_code, a.area_name, a.force_name, a.region_name,
    f.offence_level, f.offence_code, f.offence_name, f.offences, f.population,
    f.population_year, f.population_vintage, f.population_method,
    f.rate_per_10k, f.rate_lower_95, f.rate_upper_95, f.rank, f.areas_ranked, f.status,
    if(
        f.status = 'ranked', nullif(concat_ws('; ', f.count_note, f.area_note), ''), coalesce(f.count_note, f.area_note)
    ) as status_note,
    f.release_id,
    nullif(concat_ws('; ', everywhere.break_note, here.break_note), '') as break_note,
    f.unassigned_share,
from crime_rates_core.rate_figures_on(wanted_basis, as_of, population_year, population_vintage) as f
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.half_years as h using (half_year_key, half_year)
join (select distinct rollup_key, offence_group from crime_rates_core.offence_rollup) as o using (rollup_key)
left join crime_rates_core.offence_break_notes as everywhere
    on everywhere.half_year = f.half_year and everywhere.rollup_key = f.rollup_key
left join crime_rates_core.area_break_notes as here
    on here.half_year = f.half_year and here.area_key = f.area_key and here.offence_group = coalesce(o.offence_group, '')
