-- guards: every published count is in offence_counts once: before = after, by level and quarter
-- required: yes
with published as (
    select q.level, q.quarter_key, q.release_id, coalesce(sum(c.offences), 0) as offences,
    from crime_rates_core.release_quarters as q
    left join stage.published_counts as c
        on c.release_id = q.release_id and left(c.financial_year, 4)::integer * 4 + c.quarter - 1 = q.quarter_key
    where q.valid_to = date '9999-12-31'
    group by all
),
kept as (
    select level, left(financial_year, 4)::integer * 4 + quarter - 1 as quarter_key, coalesce(sum(offences), 0) as offences,
    from offence_counts
    group by all
)
select level, quarter_key, release_id, published.offences as published, kept.offences as kept,
from published
full join kept using (level, quarter_key)
where published.offences is distinct from kept.offences
