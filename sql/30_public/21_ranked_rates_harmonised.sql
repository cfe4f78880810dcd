-- one row per half-year, level, area, offence level and offence, each area on its newest boundaries
from crime_rates_core.rates_on('harmonised', null, null, null)
