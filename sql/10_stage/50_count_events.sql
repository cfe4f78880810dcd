-- one row per area, quarter, offence code and release that gave it first (seq 1: the count) or changed it (by how much).
-- Repeated keys are summed
with firsts as (
    select
        q.level, q.quarter_key, q.seq, c.area_name, c.financial_year, c.offence_code,
        1 as rows, (c.offences is not null)::integer as known_rows, c.offences,
    from stage.first_published as c
    join stage.releases as r using (release_id)
    join stage.release_quarters as q
        on q.release_key = r.release_key and q.quarter_key = left(c.financial_year, 4)::integer * 4 + c.quarter - 1 and q.seq = 1
),
changes as (
    select q.level, q.quarter_key, q.seq, c.area_name, c.financial_year, c.offence_code, c.rows, c.known_rows, c.offences,
    from stage.release_changes as c
    join stage.release_pairs as p using (from_release, to_release)
    join stage.release_quarters as q
        on q.release_key = p.to_key and q.previous_key = p.from_key
        and q.quarter_key = left(c.financial_year, 4)::integer * 4 + c.quarter - 1
),
events as (
    from firsts
    union all
    from changes
)
select
    n.area_key, e.quarter_key, o.offence_key, e.seq,
    sum(e.rows)::bigint as rows, sum(e.known_rows)::bigint as known_rows, sum(e.offences)::bigint as offences,
from events as e
join stage.area_names as n
    on n.level = e.level and n.published_name = e.area_name and e.financial_year between n.valid_from and n.valid_to
join stage.offences as o using (offence_code)
group by all
