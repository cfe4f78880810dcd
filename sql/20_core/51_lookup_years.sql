-- one row per year for which a lookup tells the boundaries (0 where there is no lookup)
select distinct lookup_year::integer as lookup_year from input.lookups
union
select 0 where not exists (from input.lookups)
