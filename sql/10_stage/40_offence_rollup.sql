-- one row per code and offence level: what each code counts towards
with levels as (
    select
        offence_key,
        unnest(['code', 'subgroup', 'group', 'total']) as offence_level,
        unnest([offence_code, subgroup, offence_group, 'Total']) as code,
        unnest([offence_name, subgroup, offence_group, 'Total recorded crime']) as name,
        unnest([subgroup, subgroup, null, null]) as subgroup,
        unnest([offence_group, offence_group, offence_group, null]) as offence_group,
    from stage.offences
)
select *, dense_rank() over (order by offence_level, code)::integer as rollup_key,
from levels
