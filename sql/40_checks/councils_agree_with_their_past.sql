-- guards: a council's persons differ by at most 5% between vintages, and between neighbouring years
-- required: no
with pairs as (
    select
        p.council_code, p.council_name, p.year, p.vintage, p.persons, p.source_file,
        o.year as other_year, o.vintage as other_vintage, o.persons as other_persons,
        p.persons / o.persons::double - 1 as change,
    from crime_rates_core.council_populations as p
    join crime_rates_core.council_populations as o
        on o.council_code = p.council_code and o.year between p.year - 1 and p.year
        and (o.year, o.vintage, o.boundaries) < (p.year, p.vintage, p.boundaries)
    where o.persons > 0
)
select distinct printf(
    '%s (%s): %s in mid-%d (%s, %s), %s in mid-%d (%s): %.1f%%',
    council_name, council_code, format('{:,}', persons), year, source_file, vintage::varchar, format('{:,}', other_persons), other_year,
    other_vintage::varchar, 100 * change
) as finding
from pairs
where abs(change) > 0.05
