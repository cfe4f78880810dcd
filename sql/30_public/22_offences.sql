-- one row per offence level and offence
with seen as (
    select offence_key, min(half_year) as first_half_year, max(half_year) as last_half_year,
    from (select distinct offence_key, quarter_key // 2 as half_year_key from crime_rates_core.count_history)
    join crime_rates_core.half_years using (half_year_key)
    group by all
)
select
    r.offence_level, r.code as offence_code, r.name as offence_name,
    min(r.subgroup) as subgroup,
    min(r.offence_group) as offence_group,
    min(s.first_half_year) as first_half_year, max(s.last_half_year) as last_half_year,
    r.rollup_key as offence_key,
from crime_rates_core.offence_rollup as r
join seen as s using (offence_key)
group by all
