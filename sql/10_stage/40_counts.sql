-- one row per release, area, quarter and offence code; repeated keys are summed, N/a cells leave is_known false
create table stage.counts as
select
    r.release_key, n.area_key,
    left(c.financial_year, 4)::integer * 4 + c.quarter - 1 as quarter_key,
    o.offence_key,
    sum(c.offences)::bigint as offences,
    bool_and(c.offences is not null) as is_known,
from stage.published_counts as c
join stage.releases as r using (release_id)
join stage.area_names as n
    on n.level = c.level and n.published_name = c.area_name and c.financial_year between n.valid_from and n.valid_to
join stage.offences as o using (offence_code)
group by all;
