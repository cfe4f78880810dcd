-- one row per level and area of data/reference/areas.csv, and one per published name
create table stage.areas as
select
    row_number() over (order by level desc, area_name)::integer as area_key,
    level, area_name,
    min(nullif(area_code, '')) as area_code,
    min(force_name) as force_name,
    min(nullif(region_name, '')) as region_name,
    min(kind) as kind,
    list_distinct(flatten(list(string_split(nullif(councils, ''), ' ')) filter (where councils <> ''))) as councils,
from input.areas
group by level, area_name;

create table stage.area_names as
select
    a.level, a.published_name, s.area_key,
    coalesce(nullif(a.valid_from, ''), '0000/00') as valid_from, coalesce(nullif(a.valid_to, ''), '9999/99') as valid_to,
from input.areas as a
join stage.areas as s using (level, area_name);
