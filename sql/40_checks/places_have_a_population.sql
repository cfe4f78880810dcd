-- guards: every place has a population in the half-years whose mid-year estimates are held
-- required: no
select half_year, level, area_name, min(status_note) as note
from ranked_rates
where status = 'no_population' and population_vintage is not null and offence_level = 'total'
group by all
