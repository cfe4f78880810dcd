-- one row per offence code: identity follows the code; its name, subgroup and group are the newest of that code
create table stage.offences as
with newest as (
    select offence_code, offence_name, offence_subgroup as subgroup, offence_group,
    from stage.offence_digests as named
    join stage.releases using (release_id)
    qualify row_number() over (
        partition by offence_code
        order by financial_year desc, quarter desc, published desc, named.rows desc, offence_name, subgroup, offence_group
    ) = 1
)
select row_number() over (order by offence_code)::integer as offence_key, *
from newest;

-- one row per code and offence level: what each code counts towards
create table stage.offence_rollup as
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
from levels;
