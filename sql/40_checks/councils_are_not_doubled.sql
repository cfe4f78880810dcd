-- guards: no council has twice or half the persons of another vintage of the same or a neighbouring year
-- required: yes
select
    p.council_code, p.council_name, p.year, p.vintage, p.persons, p.source_file,
    o.year as other_year, o.vintage as other_vintage, o.persons as other_persons, o.source_file as other_file,
from crime_rates_core.council_populations as p
join crime_rates_core.council_populations as o
    on o.council_code = p.council_code and o.year between p.year - 1 and p.year
    and (o.year, o.vintage, o.boundaries) < (p.year, p.vintage, p.boundaries)
where p.persons >= 2 * o.persons or o.persons >= 2 * p.persons
