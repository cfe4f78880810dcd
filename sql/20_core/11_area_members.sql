-- one row per basis, area that a release publishes, and area of a table that it counts towards, with the level of that table.
-- published: each as it is; harmonised: each piece in the partnership that it became part of; pieced: as harmonised, and stands
-- only in half-years in which some piece is published (24_basis_quarters.sql).
-- On all, forces add up to regions and countries; the transport police to England and Wales; fraud bodies to nothing
with successors as (
    select p.area_key as member_key, w.area_key,
    from input.area_successions as s
    join stage.area_names as p on p.level = s.level and p.published_name = s.part_name
    join stage.area_names as w on w.level = s.level and w.published_name = s.whole_name
),
totals as (
    select f.area_key as member_key, w.area_key, w.level,
    from stage.areas as f
    join stage.areas as w
        on w.level = 'region' and w.area_name = f.region_name
        or w.level = 'country' and case w.area_name
            when 'England' then f.region_name <> 'Wales'
            when 'Wales' then f.region_name = 'Wales'
            else f.region_name is not null or f.area_name = 'British Transport Police'
        end
    where f.level = 'pfa'
)
select 'published' as basis, area_key as member_key, area_key, level,
from stage.areas
where level in ('csp', 'pfa')
union
select unnest(['harmonised', 'pieced']), a.area_key, coalesce(s.area_key, a.area_key), a.level,
from stage.areas as a
left join successors as s on s.member_key = a.area_key
where a.level in ('csp', 'pfa')
union
select unnest(['published', 'harmonised', 'pieced']), member_key, area_key, level,
from totals
