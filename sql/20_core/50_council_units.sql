-- one row per council code and smallest unit in it. Units are the councils that no succession splits further, so that
-- an old district, the council that absorbed it and a new code for the same ground can be compared at all
with recursive codes as (
    select council_code from input.lookups
    union
    select area_code from input.populations where area_kind = 'council'
    union
    select part_code from input.council_successions
    union
    select whole_code from input.council_successions
    union
    select unnest(councils) from stage.areas
),
parts as (
    select council_code, council_code as unit,
    from codes
    union
    select p.council_code, s.part_code,
    from parts as p
    join input.council_successions as s on s.whole_code = p.unit
)
select council_code, unit,
from parts
where unit not in (select whole_code from input.council_successions)
