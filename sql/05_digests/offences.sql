-- one row per offence code and quarter, as a release names it, and how many areas have a row for it
select
    release_id, level, offence_code, offence_name, offence_subgroup, offence_group, financial_year, quarter,
    count(*) as rows, count(distinct area_name) as areas,
from read_parquet($later, hive_partitioning = false)
group by all
order by all
