-- one row per release, area, quarter and offence group as that release names it (null: all of them). is_telling: so many counts,
-- with so many different values, are not the same as others by chance, nor all even, nor all tens
select
    r.release_key, d.level, n.area_key, left(d.financial_year, 4)::integer * 4 + d.quarter - 1 as quarter_key,
    lower(d.offence_group) as group_name,
    sum(d.codes)::bigint as codes, sum(d.nonzero_rows)::bigint as nonzero_rows, sum(d.offences)::bigint as offences,
    bool_and(d.is_even) as is_even, bool_and(d.is_in_tens) as is_in_tens, bit_xor(d.fingerprint) as fingerprint,
    sum(d.nonzero_rows) >= 20 and bit_count(bit_or(d.value_bits)) >= 8 as is_telling,
from stage.area_digests as d
join stage.releases as r using (release_id)
join stage.area_names as n
    on n.level = d.level and n.published_name = d.area_name and d.financial_year between n.valid_from and n.valid_to
group by grouping sets (
    (r.release_key, d.level, n.area_key, quarter_key, group_name), (r.release_key, d.level, n.area_key, quarter_key)
)
