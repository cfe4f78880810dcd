-- one row per offence code and quarter, as a release names it
select release_id, offence_code, offence_name, offence_subgroup, offence_group, financial_year, quarter, count(*) as rows,
from read_parquet($later, hive_partitioning = false)
group by all
order by all
