-- guards: rate, limits and rank stand on ranked rows and nowhere else; every other row, and a whole that has no rank, has a note
-- required: yes
select half_year, level, area_name, offence_level, offence_code, status, population, rate_per_10k, rank
from ranked_rates
where (status = 'ranked' and not (level = 'country' and area_name = 'England and Wales')) is distinct from (rank is not null)
    or (status = 'ranked') is distinct from (rate_per_10k is not null)
    or (status = 'ranked' and (population is null or rate_lower_95 is null or rate_upper_95 is null
        or not rate_lower_95 <= rate_per_10k or not rate_per_10k <= rate_upper_95))
    or (rank is null and status_note is null)
    or (status <> 'ranked' and (status_note is null or rate_lower_95 is not null or rate_upper_95 is not null))
