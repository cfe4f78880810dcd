-- guards: two files of one vintage and one set of boundaries give a council the same persons
-- required: yes
select council_code, council_name, year, vintage, boundaries, figures
from crime_rates_core.council_populations
where figures > 1
