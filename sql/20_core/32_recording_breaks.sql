-- one row per break that is known: of one area, of a force's partnerships (level csp and a force alone) or of all areas (no level);
-- of one offence or of all. offences_within: of the offences within it, too; wholes_too: of the regions and countries around it, too
select
    nullif(level, '') as level, nullif(area_name, '') as area_name, nullif(force_name, '') as force_name,
    nullif(offence_level, '') as offence_level, nullif(offence_code, '') as offence_code,
    offences_within = 'yes' as offences_within, wholes_too = 'yes' as wholes_too,
    left(first_quarter, 4)::integer * 4 + right(first_quarter, 1)::integer - 1 as quarter_key,
    kind, basis, note,
    concat_ws(', ', nullif(source_title, ''), nullif(publisher, ''), nullif(published, ''), nullif(address, '')) as source,
from input.recording_breaks
