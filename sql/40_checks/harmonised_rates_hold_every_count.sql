-- guards: ranked_rates_harmonised holds as many offences as ranked_rates, by half-year, level and offence
-- required: yes
with published as (
    select half_year, level, offence_level, offence_code, sum(offences) as offences from ranked_rates group by all
),
harmonised as (
    select half_year, level, offence_level, offence_code, sum(offences) as offences from ranked_rates_harmonised group by all
)
select half_year, level, offence_level, offence_code, published.offences as published, harmonised.offences as harmonised
from published
full join harmonised using (half_year, level, offence_level, offence_code)
where published.offences is distinct from harmonised.offences
