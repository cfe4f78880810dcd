-- one row per level and area. A whole has other areas of its level as parts, and no rank among them; a remainder is what a force
-- records under none of its partnerships
select
    * exclude (councils),
    level = 'country' and area_name = 'England and Wales' as is_whole,
    level = 'csp' and starts_with(area_name, 'Unassigned ') as is_remainder,
from stage.areas
