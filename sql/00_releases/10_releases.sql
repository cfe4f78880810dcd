-- one row per release; its key is a small number in order of publication
select
    release_key, release_id, file_name, sha256, table_kind as level, published::date as published, published_source,
    quarters, rows::bigint as rows, offences::bigint as offences, simulated, source_url, nullif(note, '') as note,
from input.releases
