-- one row per release, area, quarter and offence group (null: all of them) whose count its past, its neighbours and chance do not
-- explain. docs/methodology.md says how the thresholds were set on the real force table of 2012/13 to 2025/26.
-- nought: fewer than chance allows even if a fourth of the most that it ever had were true, or a tenth of what the other places of
-- its force have for as many people; copied: the same counts for all codes as in another quarter or area; doubled, halved, tenfold, tenth: so
-- many times its past; unlike: far from its past in some other way
with
screened as (
    select release_key, level, published, min(quarter_key) as first_key, max(quarter_key) as last_key,
    from stage.releases
    join stage.release_quarters using (release_key, level)
    group by all
),
-- what stood on the day of a release: its own quarters, and of others those within a year of them
standing as (
    select s.release_key as screened_key, q.release_key, q.level, q.quarter_key,
    from screened as s
    join stage.release_quarters as q
        on q.level = s.level and q.quarter_key between s.first_key - 4 and s.last_key + 4
        and q.valid_from <= s.published and q.valid_to > s.published
),
level_counts as (
    select screened_key, level, quarter_key, group_name, sum(offences) as offences, count(*) as areas,
    from standing
    join stage.area_group_quarters using (release_key, level, quarter_key)
    group by all
),
scaled_levels as (
    select screened_key, level,
    from level_counts
    where group_name is null
    group by all
    having min(areas) >= 20  -- of fewer the rest is no measure of the country
),
-- counts of areas over the rest of their level: so a movement of the whole country is none of theirs
shares as (
    select
        s.screened_key, g.*,
        if(n.level is not null and l.offences > g.offences, l.offences - g.offences, 1)::double as rest, g.offences / rest as share,
    from standing as s
    join stage.area_group_quarters as g using (release_key, level, quarter_key)
    join level_counts as l
        on l.screened_key = s.screened_key and l.level = s.level and l.quarter_key = s.quarter_key
        and l.group_name is not distinct from g.group_name
    left join scaled_levels as n on n.screened_key = s.screened_key and n.level = s.level
    -- no count of a smaller series can pass a threshold below
    qualify g.group_name is null or max(g.offences) over (partition by s.screened_key, g.area_key, g.group_name) >= 80
),
series as (
    select
        *,
        max(share) over (partition by screened_key, area_key, group_name) as most_share,
        median(share) over (partition by screened_key, area_key, group_name) as usual_share,
        count(*) over (partition by screened_key, area_key, group_name) as quarters,
        list_filter([
            if(lag(quarter_key, 4) over past = quarter_key - 4, lag(share, 4) over past, null),
            if(lag(quarter_key) over past = quarter_key - 1, lag(share) over past, null),
        ], lambda near: near > usual_share / 4) as shares_before,  -- without noughts
        list_filter([
            if(lead(quarter_key) over past = quarter_key + 1, lead(share) over past, null),
            if(lead(quarter_key, 4) over past = quarter_key + 4, lead(share, 4) over past, null),
        ], lambda near: near > usual_share / 4) as shares_after,
        -- of those before and those after the ones that the count is nearer to: a step that lasts is no anomaly
        case
            when len(shares_before) = 0 or len(shares_before) + len(shares_after) < 2 then null
            when abs(share - list_median(shares_after)) < abs(share - list_median(shares_before)) then list_median(shares_after)
            else list_median(shares_before)
        end as expected_share,
    from shares
    window past as (partition by screened_key, area_key, group_name order by quarter_key)
),
copies as (
    select screened_key, area_key, quarter_key,
    from shares
    where group_name is null and is_telling
    qualify count(*) over (partition by screened_key, area_key, fingerprint) > 1
        or count(*) over (partition by screened_key, level, quarter_key, fingerprint) > 1
),
persons as (
    select p.area_key, a.force_name, max(p.persons)::double as persons,
    from crime_rates_core.area_populations as p
    join crime_rates_core.areas as a using (area_key)
    where a.level = 'csp' and a.kind = 'place'
    group by all
),
-- the rate of the middle one of the other places of its force, over its own people
by_neighbours as (
    select
        c.screened_key, c.area_key, c.quarter_key,
        if(count(*) over others >= 3, median(c.offences / p.persons) over others, null) * p.persons as expected_by_neighbours,
    from shares as c
    join persons as p using (area_key)
    where c.group_name is null and p.persons > 0
    window others as (
        partition by c.screened_key, c.quarter_key, p.force_name
        rows between unbounded preceding and unbounded following exclude current row
    )
),
judged as (
    select
        s.screened_key as release_key, s.level, s.area_key, s.quarter_key, s.group_name, s.offences, s.is_telling,
        s.is_even, s.is_in_tens, c.area_key is not null as is_copy,
        s.expected_share * s.rest as expected,
        s.offences / expected as ratio,
        greatest(
            if(s.quarters >= 4, s.most_share * s.rest / 4, 0),
            if(s.group_name is null, coalesce(b.expected_by_neighbours, 0) / 10, 0)
        ) as least,
        greatest(s.offences, 0) as counted,
        -- of a Poisson count with the mean `least`, the logarithm of the odds against so few (Chernoff's bound)
        if(counted < least, least - counted + counted * if(counted = 0, 0, ln(counted / least)), 0) as log_odds,
    from series as s
    join crime_rates_core.areas as a using (area_key)
    left join by_neighbours as b using (screened_key, area_key, quarter_key)
    left join copies as c using (screened_key, area_key, quarter_key)
    where s.release_key = s.screened_key and a.kind = 'place'
),
kinds as (
    select
        *,
        case
            when log_odds > ln(1e9) and (group_name is null or offences = 0) then 'nought'
            when is_copy and group_name is null then 'copied'
            when coalesce(expected, 0) < if(group_name is null, 100, 200) or ratio between 0.55 and 1.8 then null
            when ratio between 1.8 and 2.4 then 'doubled'
            when ratio between 0.4 and 0.55 then 'halved'
            when ratio between 8 and 12.5 then 'tenfold'
            when ratio between 0.08 and 0.125 then 'tenth'
            else 'unlike'
        end as kind,
        bool_or(kind = 'nought' and group_name is null) over (
            partition by release_key, area_key, quarter_key
        ) as is_nought_throughout,
    from judged
    where log_odds > ln(1e9) or is_copy or not ratio between 0.55 and 1.8
)
select
    k.release_key, k.area_key, k.quarter_key, k.group_name, k.kind, k.offences,
    round(if(k.kind = 'nought', k.least, k.expected))::bigint as expected, q.valid_from, q.valid_to,
    case
        when k.kind = 'nought' then 'implausible'
        when k.kind = 'copied' then 'certain'
        when k.kind = 'doubled' and k.is_even and k.is_telling then 'certain'
        when k.kind = 'tenfold' and k.is_in_tens and k.is_telling then 'certain'
        else 'doubtful'
    end as certainty,
from kinds as k
join stage.release_quarters as q using (release_key, level, quarter_key)
where k.kind is not null and (k.group_name is null or not k.is_nought_throughout)
