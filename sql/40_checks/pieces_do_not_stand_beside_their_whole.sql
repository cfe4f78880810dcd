-- guards: no quarter has both an area and a piece that became part of it, which would count it twice on harmonised areas
-- required: yes
select w.area_name, p.area_name as piece, q.quarter_key
from crime_rates_core.area_members as m
join crime_rates_core.area_quarters as q on q.area_key = m.member_key
join crime_rates_core.area_quarters as o on o.area_key = m.area_key and o.quarter_key = q.quarter_key
join crime_rates_core.areas as w on w.area_key = m.area_key
join crime_rates_core.areas as p on p.area_key = m.member_key
where m.basis = 'harmonised' and m.member_key <> m.area_key and p.level = w.level
    and q.valid_to = date '9999-12-31' and o.valid_to = date '9999-12-31'
