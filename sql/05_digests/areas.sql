-- one row per area and quarter: what a release holds for it
select
    release_id, level, area_name, force_name, financial_year, quarter,
    count(*) as rows, count(offences) as known_rows, sum(offences)::bigint as offences,
from read_parquet($later, hive_partitioning = false)
group by all
order by all
