-- guards: within a quarter every place of a level has a row for every offence that some place has
-- required: no
with places as (
    select area_key, quarter_key, count(*) as offences,  -- one row per offence code: counts_stand_once.sql
    from crime_rates_core.count_history
    where valid_to = date '9999-12-31'
    group by all
),
expectations as (
    select a.level, a.area_name, p.quarter_key, p.offences, max(p.offences) over (partition by a.level, p.quarter_key) as expected,
    from places as p
    join crime_rates_core.areas as a using (area_key)
    where a.kind <> 'unassigned'
)
select e.level, e.area_name, q.financial_year, q.quarter, e.offences, e.expected,
from expectations as e
join crime_rates_core.quarters as q using (quarter_key)
where e.offences < e.expected
