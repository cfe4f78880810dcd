-- one row per release and quarter that it covers, and the days on which it was the newest for its level.
-- Of two releases that came out on one day for one quarter the last stands; the other never did. A release whose date is only
-- the day on which it was fetched stands for the quarters that no dated release covers
with covered as (
    select release_key, level, published, published_source <> 'first fetched' as is_dated, unnest(quarters) as quarter_name
    from stage.releases
),
numbered as (
    select
        *,
        left(quarter_name, 4)::integer * 4 + right(quarter_name, 1)::integer - 1 as quarter_key,
    from covered
    qualify is_dated or not bool_or(is_dated) over (partition by level, quarter_name)
),
dated as (
    select
        release_key, level, quarter_key, published as valid_from,
        coalesce(
            lead(published) over (partition by level, quarter_key order by published, release_key), date '9999-12-31'
        ) as valid_to,
    from numbered
    qualify valid_from < valid_to
)
select
    *,
    row_number() over (partition by level, quarter_key order by valid_from)::integer as seq,  -- without those that never stood
    lag(release_key) over (partition by level, quarter_key order by valid_from) as previous_key,
from dated
