-- guards: ranked_rates_harmonised holds as many offences as ranked_rates, by half-year, level and offence
-- required: yes
with pieced as (
    select half_year_key from half_years where has_pieces  -- in all others it has the same rows: facts_find_their_dimensions.sql
),
published as (
    select half_year_key, offence_key, sum(offences) as offences,
    from rate_facts
    semi join pieced using (half_year_key)
    group by all
),
harmonised as (
    select half_year_key, offence_key, sum(offences) as offences from harmonised_rate_facts group by all
)
select
    h.half_year, h.level, o.offence_level, o.offence_code, published.offences as published, harmonised.offences as harmonised
from published
full join harmonised using (half_year_key, offence_key)
join half_years as h using (half_year_key)
join offences as o using (offence_key)
where published.offences is distinct from harmonised.offences
