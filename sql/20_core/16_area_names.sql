-- one row per level, name under which an area was published, by the Home Office or in a lookup of the ONS, and that area
select distinct n.level, n.published_name as name, n.area_key
from stage.area_names as n
union
select a.level, l.csp_name, a.area_key
from input.lookups as l
join stage.areas as a on a.level = 'csp' and a.area_code = l.csp_code
union
select a.level, l.pfa_name, a.area_key
from input.lookups as l
join stage.areas as a on a.level = 'pfa' and a.area_code = l.pfa_code
