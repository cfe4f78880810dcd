-- guards: no count of an area and offence group is far from what the quarters around it lead to expect; such rows have a note
-- required: no
select printf('%s %s, %s: %s', a.level, a.area_name, q.financial_year, n.note) as finding,
from crime_rates_core.count_anomalies as n
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.quarters as q using (quarter_key)
where n.certainty = 'doubtful' and n.valid_to = date '9999-12-31'
