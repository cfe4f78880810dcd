-- one row per half-year, level, area, offence level and offence: the newest figures over the default population
create table ranked_rates as
from ranked_rates_for(null, null, null);

-- the same as it could have been printed on a day
create macro ranked_rates_as_of(as_of) as table
from ranked_rates_for(as_of, null, null);

-- one row per half-year, level, area, offence level and offence, each area on its newest boundaries;
-- computed anew only where some area is published in pieces
create table ranked_rates_harmonised as
with in_pieces as (
    select distinct a.level, h.half_year
    from crime_rates_core.area_quarters as q
    join crime_rates_core.area_members as m on m.member_key = q.area_key and m.basis = 'harmonised'
    join crime_rates_core.areas as a on a.area_key = m.area_key
    join crime_rates_core.half_years as h on h.half_year_key = q.quarter_key // 2
    where m.member_key <> m.area_key and a.level = 'csp'
)
from crime_rates_core.rates_on('harmonised', null, null, null)
where (level, half_year) in (from in_pieces)
union all
from ranked_rates
where (level, half_year) not in (from in_pieces);
