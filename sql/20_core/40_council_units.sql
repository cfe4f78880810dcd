-- one row per council code and smallest unit in it. Units are the councils that no succession splits further, so that
-- an old district, the council that absorbed it and a new code for the same ground can be compared at all
create table crime_rates_core.council_units as
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
    select council_code, council_code as unit from codes
    union
    select p.council_code, s.part_code
    from parts as p
    join input.council_successions as s on s.whole_code = p.unit
)
select council_code, unit
from parts
where unit not in (select whole_code from input.council_successions);

-- one row per year for which a lookup tells the boundaries (0 where there is no lookup)
create table crime_rates_core.lookup_years as
select distinct lookup_year::integer as lookup_year from input.lookups
union
select 0 where not exists (from input.lookups);

-- one row per area, lookup year and unit. A partnership that shares a council with another takes its units
-- from the nearest lookup in which it has its councils to itself
create table stage.published_area_units as
with members as (
    select 'csp' as level, lookup_year, council_code, csp_code as area_code from input.lookups
    union
    select 'pfa', lookup_year, council_code, pfa_code from input.lookups
),
shared as (
    select level, lookup_year, council_code
    from members
    group by all
    having count(distinct area_code) > 1
),
whole as (
    select m.level, m.area_code, m.lookup_year
    from members as m
    left join shared as s using (level, lookup_year, council_code)
    group by all
    having count(s.council_code) = 0
),
nearest as (
    select w.level, w.area_code, y.lookup_year, w.lookup_year as taken_from,
    from whole as w
    cross join crime_rates_core.lookup_years as y
    qualify row_number() over (
        partition by w.level, w.area_code, y.lookup_year order by abs(w.lookup_year - y.lookup_year), w.lookup_year
    ) = 1
)
select distinct a.area_key, n.lookup_year, u.unit
from nearest as n
join members as m on m.level = n.level and m.area_code = n.area_code and m.lookup_year = n.taken_from
join stage.areas as a on a.level = n.level and a.area_code = n.area_code
join crime_rates_core.council_units as u using (council_code)
union
select a.area_key, y.lookup_year, u.unit
from (select area_key, unnest(councils) as council_code from stage.areas) as a
join crime_rates_core.council_units as u using (council_code)
cross join crime_rates_core.lookup_years as y;

-- the same, with the units of regions and countries: those of their forces
create table crime_rates_core.area_units as
from stage.published_area_units
union
select m.area_key, u.lookup_year, u.unit
from stage.published_area_units as u
join crime_rates_core.area_members as m on m.member_key = u.area_key and m.basis = 'published'
where m.area_key <> m.member_key;

-- one row per area and unit, by the oldest lookup: whether published parts make up a whole
create table crime_rates_core.area_extents as
select area_key, unit
from crime_rates_core.area_units
where lookup_year = (select min(lookup_year) from crime_rates_core.lookup_years);
