-- one row per half-year, area and offence group (empty: the total) with a break of the area: its words
select
    b.half_year, m.area_key, m.offence_group,
    string_agg(printf('%s (%s): %s', first_quarter, kind, note), '; ' order by break_key) as break_note,
from crime_rates_core.area_breaks as m
join crime_rates_core.all_breaks as b using (break_key)
group by all
