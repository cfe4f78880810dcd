-- one row per half-year, level, area, offence level and offence: on areas as published, on any basis
from crime_rates_core.rates_on('published', as_of, population_year, population_vintage)
