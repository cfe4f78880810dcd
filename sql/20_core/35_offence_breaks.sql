-- one row per break of all areas and offence, at any offence level, that it holds for
with offences as (
    select distinct rollup_key, offence_level, code, subgroup, offence_group,
    from crime_rates_core.offence_rollup
)
select distinct b.break_key, b.half_year, o.rollup_key,
from crime_rates_core.all_breaks as b
join offences as o
    on b.offence_level is null
    or (o.offence_level = b.offence_level and o.code = b.offence_code)
    or (b.offences_within and b.offence_level = 'group' and o.offence_group = b.offence_code)
    or (b.offences_within and b.offence_level = 'subgroup' and o.subgroup = b.offence_code)
where b.level is null
