-- guards: for every half-year a mid-year estimate is held
-- required: no
select half_year, level, any_value(status_note) as note
from ranked_rates
where population_vintage is null and status = 'no_population' and offence_level = 'total'
group by half_year, level
