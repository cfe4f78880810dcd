-- guards: the partnerships of a force add up to the force, quarter by quarter, where both tables came out on one day
-- required: yes
with stood as (
    select q.level, q.quarter_key, r.published,
    from crime_rates_core.release_quarters as q
    join stage.releases as r using (release_key)
    where q.valid_to = date '9999-12-31'
),
both_levels as (
    select p.quarter_key,
    from stood as p
    join stood as c using (quarter_key, published)
    where p.level = 'pfa' and c.level = 'csp'
),
sums as (
    select a.force_name, b.quarter_key, c.offence_key,
        sum(c.offences) filter (where a.level = 'pfa') as force_offences,
        sum(c.offences) filter (where a.level = 'csp') as partnership_offences,
    from crime_rates_core.count_history as c
    join both_levels as b using (quarter_key)
    join crime_rates_core.areas as a using (area_key)
    where c.valid_to = date '9999-12-31'
        and a.region_name is not null  -- fraud bodies and the transport police are in the force table only
    group by all
)
select
    s.force_name, printf('%d/%02d Q%d', s.quarter_key // 4, (s.quarter_key // 4 + 1) % 100, s.quarter_key % 4 + 1) as quarter,
    o.offence_code, s.force_offences, s.partnership_offences,
from sums as s
join crime_rates_core.offences as o using (offence_key)
where coalesce(s.force_offences, 0) <> coalesce(s.partnership_offences, 0)
