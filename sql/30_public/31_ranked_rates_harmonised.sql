-- one row per half-year, level, area, offence level and offence, each area on its newest boundaries
with facts as (
    from rate_facts
    where is_harmonised
    union all
    from harmonised_rate_facts
)
select
    p.half_year, p.period_start, p.period_end, p.level, p.area_code, p.area_name, p.force_name, p.region_name,
    o.offence_level, o.offence_code, o.offence_name, f.offences, p.population,
    p.population_year, p.population_vintage, p.population_method,
    f.rate_per_10k, f.rate_lower_95, f.rate_upper_95, f.rank, f.areas_ranked, f.status,
    if(f.status = 'ranked', nullif(concat_ws('; ', f.count_note, p.note), ''), coalesce(f.count_note, p.note)) as status_note,
    p.release_id,
    nullif(concat_ws('; ', everywhere.break_note, here.break_note), '') as break_note,
    f.unassigned_share,
from facts as f
join area_half_years as p using (half_year_key, area_key)
join offences as o using (offence_key)
left join crime_rates_core.offence_break_notes as everywhere
    on everywhere.half_year = p.half_year and everywhere.rollup_key = f.offence_key
left join crime_rates_core.area_break_notes as here
    on here.half_year = p.half_year and here.area_key = f.area_key and here.offence_group = coalesce(o.offence_group, '')
