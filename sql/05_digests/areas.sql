-- one row per area, quarter and offence group: what a release holds for it. A fingerprint is that of all counts that are not
-- nought, so that two quarters with the same one have the same count for every code. value_bits has a bit for each count, modulo 64
select
    release_id, level, area_name, force_name, financial_year, quarter, offence_group,
    count(*) as rows, count(offences) as known_rows, count(distinct offence_code) as codes, sum(offences)::bigint as offences,
    count(*) filter (where offences <> 0) as nonzero_rows,
    coalesce(bool_and(offences % 2 = 0), true) as is_even,
    coalesce(bool_and(offences % 10 = 0), true) as is_in_tens,
    coalesce(bit_or(1::ubigint << (abs(offences) % 64)::ubigint), 0)::ubigint as value_bits,
    coalesce(bit_xor(hash(offence_code, offences)) filter (where offences <> 0), 0)::ubigint as fingerprint,
from read_parquet($later, hive_partitioning = false)
group by all
order by all
