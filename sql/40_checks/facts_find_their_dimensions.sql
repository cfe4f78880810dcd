-- guards: every row of the facts is in the view that names its keys: ranked_rates, ranked_rates_harmonised, offence_counts
-- required: yes
with pieced as (
    select half_year_key from half_years where has_pieces
),
sizes as (
    select
        'ranked_rates' as view_name,
        (select count(*) from rate_facts) as facts, (select count(*) from ranked_rates) as rows,
    union all
    select
        'ranked_rates_harmonised',
        (select count(*) from rate_facts anti join pieced using (half_year_key)) + (select count(*) from harmonised_rate_facts),
        (select count(*) from ranked_rates_harmonised),
    union all
    select
        'offence_counts',
        (select count(*) from crime_rates_core.count_history where valid_to = date '9999-12-31'),
        (select count(*) from offence_counts),
)
select view_name, facts, rows,
from sizes
where facts <> rows
