-- one row per level and area of data/reference/areas.csv
select
    row_number() over (order by level desc, area_name)::integer as area_key,
    level, area_name,
    min(nullif(area_code, '')) as area_code,
    min(nullif(force_name, '')) as force_name,
    min(nullif(region_name, '')) as region_name,
    min(kind) as kind,
    list_distinct(flatten(list(string_split(nullif(councils, ''), ' ')) filter (where councils <> ''))) as councils,
from input.areas
group by level, area_name
