-- guards: no place has next to nothing where its past and its neighbours say hundreds; such counts are implausible, and not ranked
-- required: no
select printf('%s %s, %s: %s', a.level, a.area_name, q.financial_year, n.note) as finding,
from crime_rates_core.count_anomalies as n
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.quarters as q using (quarter_key)
anti join crime_rates_core.withdrawals as w
    on w.release_key = n.release_key and w.area_key = n.area_key and w.quarter_key = n.quarter_key
where n.certainty = 'implausible' and n.valid_to = date '9999-12-31'
