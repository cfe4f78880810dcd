-- one row per note of a release that no rule in data/reference/withdrawn_figures.csv knows
select n.release_id, n.note,
from input.release_notes as n
where not exists (
    from input.withdrawn_figures as w
    where contains(regexp_replace(n.note, '\s', '', 'g'), regexp_replace(w.note_text, '\s', '', 'g'))
)
