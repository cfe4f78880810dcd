-- one row per level and area that any release has figures for; one that was only ever published in pieces has their half-years
with seen as (
    select
        m.area_key,
        coalesce(min(half_year) filter (where m.basis = 'published'), min(half_year)) as first_half_year,
        coalesce(max(half_year) filter (where m.basis = 'published'), max(half_year)) as last_half_year,
    from crime_rates_core.area_quarters as q
    join crime_rates_core.area_members as m on m.member_key = q.area_key
    join crime_rates_core.half_years on half_year_key = quarter_key // 2
    group by all
)
select
    a.level, a.area_code, a.area_name, a.force_name, a.region_name, s.first_half_year, s.last_half_year,
    a.kind <> 'unassigned' as is_place, a.area_key,
from crime_rates_core.areas as a
join seen as s using (area_key)
