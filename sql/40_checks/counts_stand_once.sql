-- guards: on any day an area has one count for a quarter and an offence code
-- required: yes
select area_key, quarter_key, offence_key, valid_from, count(*) as rows,
from crime_rates_core.count_history
group by all
having count(*) > 1
