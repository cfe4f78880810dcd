-- one row per release, area and quarter whose figures a note of that release says stand elsewhere
with notes as (
    select r.release_key, n.note, regexp_replace(n.note, '\s', '', 'g') as squeezed,
    from input.release_notes as n
    join stage.releases as r using (release_id)
),
rules as (
    select *, regexp_replace(note_text, '\s', '', 'g') as squeezed,
    from input.withdrawn_figures
)
select
    q.release_key, a.area_key, q.quarter_key,
    min(
        'figures stand elsewhere: "' || n.note || '"' || if(w.area_name = '', ' (' || w.comment || ')', '')
    ) as note,
from notes as n
join rules as w on contains(n.squeezed, w.squeezed)
join stage.release_quarters as q
    on q.release_key = n.release_key
    and q.quarter_key >= left(w.first_quarter, 4)::integer * 4 + right(w.first_quarter, 1)::integer - 1
    and (w.last_quarter = '' or q.quarter_key <= left(w.last_quarter, 4)::integer * 4 + right(w.last_quarter, 1)::integer - 1)
join stage.areas as a
    on a.level = w.level and q.level = w.level and a.force_name = w.force_name and a.kind = 'place'
    and (w.area_name = '' or a.area_name = w.area_name)
group by all
