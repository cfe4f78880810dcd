-- one row per level and area
select * exclude (councils)
from stage.areas
