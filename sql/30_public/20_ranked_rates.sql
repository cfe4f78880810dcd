-- one row per half-year, level, area, offence level and offence: the newest figures over the default population
create table ranked_rates as
from ranked_rates_for(null, null, null);

-- the same as it could have been printed on a day
create macro ranked_rates_as_of(as_of) as table
from ranked_rates_for(as_of, null, null);
