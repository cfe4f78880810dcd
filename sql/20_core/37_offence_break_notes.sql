-- one row per half-year and offence, at any offence level, with a break that holds in all areas: its words
select b.half_year, m.rollup_key, string_agg(printf('%s (%s): %s', first_quarter, kind, note), '; ' order by break_key) as break_note,
from crime_rates_core.offence_breaks as m
join crime_rates_core.all_breaks as b using (break_key)
group by all
