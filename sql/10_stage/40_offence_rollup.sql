-- one row per code and offence level: what each code counts towards. A code may stand in several bundles, which are ours, or in none
with levels as (
    select
        offence_key,
        unnest(['code', 'subgroup', 'group', 'total']) as offence_level,
        unnest([offence_code, subgroup, offence_group, 'Total']) as code,
        unnest([offence_name, subgroup, offence_group, 'Total recorded crime']) as name,
        unnest([subgroup, subgroup, null, null]) as subgroup,
        unnest([offence_group, offence_group, offence_group, null]) as offence_group,
    from stage.offences
    union all
    select
        o.offence_key, 'bundle', b.bundle, b.bundle, null,
        if(count(distinct o.offence_group) over (partition by b.bundle) = 1, o.offence_group, null),
    from input.offence_bundles as b
    join stage.offences as o using (offence_code)
)
select *, dense_rank() over (order by offence_level, code)::integer as rollup_key,
from levels
