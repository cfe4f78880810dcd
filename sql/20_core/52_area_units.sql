-- one row per area, lookup year and unit. A partnership that shares a council with another takes its units
-- from the nearest lookup in which it has its councils to itself; regions and countries have those of their forces
with members as (
    select 'csp' as level, lookup_year, council_code, csp_code as area_code from input.lookups
    union
    select 'pfa', lookup_year, council_code, pfa_code from input.lookups
),
shared_councils as (
    select level, lookup_year, council_code,
    from members
    group by all
    having count(distinct area_code) > 1
),
unshared_areas as (
    select m.level, m.area_code, m.lookup_year,
    from members as m
    left join shared_councils as s using (level, lookup_year, council_code)
    group by all
    having count(s.council_code) = 0
),
nearest_lookups as (
    select w.level, w.area_code, y.lookup_year, w.lookup_year as taken_from,
    from unshared_areas as w
    cross join crime_rates_core.lookup_years as y
    qualify row_number() over (
        partition by w.level, w.area_code, y.lookup_year order by abs(w.lookup_year - y.lookup_year), w.lookup_year
    ) = 1
),
published_area_units as (
    select distinct a.area_key, n.lookup_year, u.unit,
    from nearest_lookups as n
    join members as m on m.level = n.level and m.area_code = n.area_code and m.lookup_year = n.taken_from
    join stage.areas as a on a.level = n.level and a.area_code = n.area_code
    join crime_rates_core.council_units as u using (council_code)
    union
    select a.area_key, y.lookup_year, u.unit,
    from (select area_key, unnest(councils) as council_code from stage.areas) as a
    join crime_rates_core.council_units as u using (council_code)
    cross join crime_rates_core.lookup_years as y
)
from published_area_units
union
select m.area_key, u.lookup_year, u.unit,
from published_area_units as u
join crime_rates_core.area_members as m on m.member_key = u.area_key and m.basis = 'published'
where m.area_key <> m.member_key
