-- guards: no quarter of an area is the copy of another, or twice or ten times what it should be in every single count
-- required: yes
select printf('%s %s, %s: %s', a.level, a.area_name, q.financial_year, n.note) as finding,
from crime_rates_core.count_anomalies as n
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.quarters as q using (quarter_key)
where n.certainty = 'certain' and n.valid_to = date '9999-12-31'
