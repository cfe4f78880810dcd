-- guards: within a quarter every place of a level has a row for every offence that some place has
-- required: no
with places as (
    select c.level, c.area_name, c.financial_year, c.quarter, count(distinct c.offence_code) as offences,
    from offence_counts as c
    join areas as a using (level, area_name)
    where a.is_place
    group by all
)
select *, max(offences) over (partition by level, financial_year, quarter) as expected
from places
qualify offences < expected
