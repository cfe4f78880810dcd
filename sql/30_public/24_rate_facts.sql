-- one row per half-year, level, area, offence level and offence: the newest figures over the default population
select
    h.half_year_key, f.area_key, f.rollup_key as offence_key, f.offences,
    f.rate_per_10k, f.rate_lower_95, f.rate_upper_95, f.rank, f.areas_ranked, f.status, f.count_note, f.unassigned_share,
    not h.has_pieces as is_harmonised,
from crime_rates_core.rate_figures_on('published', null, null, null) as f
join half_years as h using (half_year, level)
