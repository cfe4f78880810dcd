-- one row per half-year, level, area, offence level and offence: the newest figures over the default population
from ranked_rates_for(null, null, null)
