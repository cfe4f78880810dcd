-- one row per area, quarter and offence code, as the first release of that quarter gave it; repeated keys are summed
create table stage.first_counts as
select
    q.release_key, n.area_key, q.quarter_key, o.offence_key,
    count(*) as rows, count(c.offences) as known_rows, sum(c.offences)::bigint as offences,
from stage.first_published as c
join stage.releases as r using (release_id)
join stage.release_quarters as q
    on q.release_key = r.release_key and q.quarter_key = left(c.financial_year, 4)::integer * 4 + c.quarter - 1 and q.seq = 1
join stage.area_names as n
    on n.level = c.level and n.published_name = c.area_name and c.financial_year between n.valid_from and n.valid_to
join stage.offences as o using (offence_code)
group by all;

-- one row per area, quarter, offence code and release that changed it: by how much
create table stage.count_changes as
select
    n.area_key, q.quarter_key, o.offence_key, q.seq,
    sum(c.rows)::bigint as rows, sum(c.known_rows)::bigint as known_rows, sum(c.offences)::bigint as offences,
from stage.release_changes as c
join stage.release_pairs as p using (from_release, to_release)
join stage.release_quarters as q
    on q.release_key = p.to_key and q.quarter_key = left(c.financial_year, 4)::integer * 4 + c.quarter - 1
    and q.previous_key = p.from_key
join stage.area_names as n
    on n.level = c.level and n.published_name = c.area_name and c.financial_year between n.valid_from and n.valid_to
join stage.offences as o using (offence_code)
group by all;

-- one row per release, area and quarter that it has figures for
create table stage.area_quarters as
select
    r.release_key, n.area_key, left(d.financial_year, 4)::integer * 4 + d.quarter - 1 as quarter_key,
    sum(d.offences)::bigint as offences,
from stage.area_digests as d
join stage.releases as r using (release_id)
join stage.area_names as n
    on n.level = d.level and n.published_name = d.area_name and d.financial_year between n.valid_from and n.valid_to
group by all;
