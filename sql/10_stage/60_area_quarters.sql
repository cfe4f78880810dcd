-- one row per release, area and quarter that it has figures for
select
    r.release_key, n.area_key, left(d.financial_year, 4)::integer * 4 + d.quarter - 1 as quarter_key,
    sum(d.offences)::bigint as offences,
from stage.area_digests as d
join stage.releases as r using (release_id)
join stage.area_names as n
    on n.level = d.level and n.published_name = d.area_name and d.financial_year between n.valid_from and n.valid_to
group by all
