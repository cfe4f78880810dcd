-- one row per offence code: identity follows the code; its name, subgroup and group are the newest of that code
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
from newest
