-- guards: no place lacks a row that its release should have, and no release drops rows of the one before; such counts are incomplete
-- required: no
select printf(
    '%s %s, %s Q%d: %s', a.level, a.area_name, q.financial_year, q.quarter,
    if(m.kind = 'dropped', printf('%s no longer has its rows for ', r.release_id), printf('%s has no rows for ', r.release_id))
    || if(count(*) > 3, format('{} offences', count(*)), string_agg(o.offence_code, ', ' order by o.offence_code))
) as finding,
from crime_rates_core.missing_counts as m
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.quarters as q using (quarter_key)
join crime_rates_core.offences as o using (offence_key)
join stage.releases as r using (release_key)
where m.valid_to = date '9999-12-31'
group by a.level, a.area_name, q.financial_year, q.quarter, m.kind, r.release_id
