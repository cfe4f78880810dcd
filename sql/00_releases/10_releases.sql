-- one row per release, and one per release and quarter that it covers; keys are small numbers in order of publication
create table stage.releases as
select
    release_key, release_id, file_name, sha256, table_kind as level, published::date as published, published_source,
    quarters, rows::bigint as rows, offences::bigint as offences, simulated, source_url, nullif(note, '') as note,
from input.releases;

-- of two releases that came out on one day for one quarter the last stands; the other never did
create table stage.release_quarters as
with covered as (
    select release_key, level, published, unnest(quarters) as quarter_name from stage.releases
),
numbered as (
    select
        *,
        left(quarter_name, 4)::integer * 4 + right(quarter_name, 1)::integer - 1 as quarter_key,
    from covered
),
stood as (
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
from stood;

-- one row per release and the one that it replaced for some quarter
create table stage.release_pairs as
select distinct q.previous_key as from_key, q.release_key as to_key, f.release_id as from_release, t.release_id as to_release,
from stage.release_quarters as q
join stage.releases as f on f.release_key = q.previous_key
join stage.releases as t on t.release_key = q.release_key;
