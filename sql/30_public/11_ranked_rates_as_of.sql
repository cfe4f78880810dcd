-- one row per half-year, level, area, offence level and offence: as it could have been printed on a day
from ranked_rates_for(as_of, null, null)
