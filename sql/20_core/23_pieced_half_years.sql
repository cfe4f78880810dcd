-- one row per level and half-year in which areas stand in pieces in the newest releases: there harmonised figures differ
select distinct p.level, q.quarter_key // 2 as half_year_key,
from crime_rates_core.area_quarters as q
join crime_rates_core.area_members as m on m.member_key = q.area_key and m.basis = 'harmonised' and m.member_key <> m.area_key
join crime_rates_core.areas as p on p.area_key = m.member_key and p.level = m.level
where q.valid_to = date '9999-12-31'
