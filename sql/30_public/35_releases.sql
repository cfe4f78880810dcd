-- one row per release
select
    release_id, file_name, sha256, level as table_kind, published, published_source,
    list_min(quarters) as first_quarter, list_max(quarters) as last_quarter, rows, simulated, source_url, note,
from stage.releases
