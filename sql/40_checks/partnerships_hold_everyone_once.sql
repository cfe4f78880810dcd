-- guards: for each mid-year and vintage the partnerships hold as many people as the forces, to the rounding of shared councils
-- required: yes
with current_places as (
    -- pieces of partnerships, with councils of their own in data/reference, are in the partnerships again
    select a.area_key, a.level from stage.areas as a
    where a.kind <> 'unassigned' and (a.level = 'pfa' or a.area_code in (select csp_code from input.lookups))
),
sums as (
    select
        p.year, p.vintage, p.lookup_year,
        sum(p.persons) filter (where a.level = 'pfa') as forces,
        sum(p.persons) filter (where a.level = 'csp') as partnerships,
        count(*) filter (where p.method = 'apportioned') as apportioned,
        count(*) filter (where a.level = 'csp' and p.persons is null) as unknown_partnerships,
    from crime_rates_core.area_populations as p
    join current_places as a using (area_key)
    where p.known_to = date '9999-12-31'
    group by all
)
select year, vintage, lookup_year, forces, partnerships, apportioned,
from sums
where unknown_partnerships = 0 and abs(forces - partnerships) > apportioned
