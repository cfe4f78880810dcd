-- guards: no set of estimates holds a council beside one that it became part of
-- required: yes
select p.year, p.vintage, p.boundaries, u.unit, string_agg(p.council_code, ', ' order by p.council_code) as councils,
from crime_rates_core.council_populations as p
join crime_rates_core.council_units as u using (council_code)
group by all
having count(*) > 1
