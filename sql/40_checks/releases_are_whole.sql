-- guards: the lake holds of every release the rows and the sum of counts that were read
-- required: yes
with held as (
    select release_id, count(*) as rows, coalesce(sum(offences), 0)::bigint as offences
    from stage.published_counts
    group by all
)
select r.release_id, r.rows as rows_read, h.rows as rows_held, r.offences as offences_read, h.offences as offences_held
from stage.releases as r
left join held as h using (release_id)
where r.rows is distinct from h.rows or r.offences is distinct from h.offences
