-- one row per half-year, level, area, offence level and offence, each area on its newest boundaries:
-- of half-years and levels in which areas stand in pieces, for in all others rate_facts has the same rows
select
    h.half_year_key, f.area_key, f.rollup_key as offence_key, f.offences,
    f.rate_per_10k, f.rate_lower_95, f.rate_upper_95, f.rank, f.areas_ranked, f.status, f.count_note, f.unassigned_share,
    true as is_harmonised,
from crime_rates_core.rate_figures_on('pieced', null, null, null) as f
join half_years as h using (half_year, level)
