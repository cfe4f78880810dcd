-- one row per half-year, level, area, offence level and offence: the newest figures over the default population
create table ranked_rates as
from ranked_rates_for(null, null, null);

-- the same as it could have been printed on a day
create macro ranked_rates_as_of(as_of) as table
from ranked_rates_for(as_of, null, null);

-- one row per half-year, level, area, offence level and offence, each area on its newest boundaries
create table ranked_rates_harmonised as
from crime_rates_core.rates_on('harmonised', null, null, null);
