-- one row per release, level, quarter and offence code that it has rows for, and of how many areas
select
    r.release_key, d.level, left(d.financial_year, 4)::integer * 4 + d.quarter - 1 as quarter_key, o.offence_key,
    sum(d.areas)::bigint as areas,
from stage.offence_digests as d
join stage.releases as r using (release_id)
join stage.offences as o using (offence_code)
group by all
