-- one row per level, published name and financial years in which it is the name of an area
select
    a.level, a.published_name, s.area_key,
    coalesce(nullif(a.valid_from, ''), '0000/00') as valid_from,
    coalesce(nullif(a.valid_to, ''), '9999/99') as valid_to,
from input.areas as a
join stage.areas as s using (level, area_name)
