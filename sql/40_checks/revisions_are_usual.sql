-- guards: the newest release moves no force's total more than twice its own largest move before, or 6 times the median of all
-- required: no
with totals as (
    select c.release_key, a.level, a.force_name, sum(c.offences) as offences,
    from stage.area_quarters as c
    join stage.areas as a using (area_key)
    group by all
),
moves as (
    select v.to_release, v.level, a.force_name, sum(coalesce(v.after, 0) - coalesce(v.before, 0)) as net,
    from revisions as v
    join stage.areas as a using (level, area_name)
    group by all
),
shares as (
    select m.*, r.published, abs(m.net) / nullif(t.offences, 0)::double as share,
    from moves as m
    join stage.releases as r on r.release_id = m.to_release
    join totals as t on t.release_key = r.release_key and t.level = m.level and t.force_name = m.force_name
),
compared as (
    select
        *,
        coalesce(
            2 * max(share) over (
                partition by level, force_name order by published rows between unbounded preceding and 1 preceding
            ),
            6 * median(share) over (partition by to_release, level)
        ) as usual,
        max(published) over (partition by level) as newest,
    from shares
)
select to_release, level, force_name, net::bigint as net_change, round(100 * share, 2) as percent, round(100 * usual, 2) as usual_percent
from compared
where published = newest and share > usual and share > 0.005
