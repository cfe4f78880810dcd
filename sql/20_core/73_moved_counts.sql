-- one row per release, area and quarter whose counts, code by code, are those that the release before had for another quarter of the
-- area, and not for this one: quarters that were swapped or shifted, in one of the two
select n.release_key, n.area_key, n.quarter_key, n.offences, min(o.quarter_key) as from_quarter_key, q.valid_from, q.valid_to,
from stage.area_group_quarters as n
join stage.release_quarters as q using (release_key, level, quarter_key)
join stage.area_group_quarters as o on o.release_key = q.previous_key and o.area_key = n.area_key and o.fingerprint = n.fingerprint
anti join stage.area_group_quarters as s
    on s.release_key = q.previous_key and s.area_key = n.area_key and s.fingerprint = n.fingerprint
    and s.quarter_key = n.quarter_key and s.group_name is null
where n.group_name is null and o.group_name is null
    and n.is_telling
group by all
