-- one row per area, quarter and release that no longer has any row of the area though an earlier one had
select distinct m.area_key, m.quarter_key, m.release_key, r.published, m.valid_from, m.valid_to,
from crime_rates_core.missing_counts as m
join stage.releases as r using (release_key)
anti join crime_rates_core.area_quarters as q
    on q.area_key = m.area_key and q.quarter_key = m.quarter_key and q.valid_from < m.valid_to and q.valid_to > m.valid_from
where m.kind = 'dropped'
