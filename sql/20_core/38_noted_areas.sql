-- one row per release, area and quarter that a note of the release speaks of, though no rule in data/reference/withdrawn_figures.csv
-- knows the note: an area that it names, and all places of a force that it names, in the years that it names (none: in all)
with notes as (
    select r.release_key, r.level, n.note,
    from crime_rates_core.unknown_notes as n
    join stage.releases as r using (release_id)
),
-- each date of a note: perhaps `year ending`, a month or two, a year, and the second year of a financial year
dates as (
    select
        note,
        unnest(regexp_extract_all(note, wording.date, 1)) as year_ending,
        lower(left(unnest(regexp_extract_all(note, wording.date, 2)), 3)) as first_month,
        lower(left(unnest(regexp_extract_all(note, wording.date, 3)), 3)) as last_month,
        unnest(regexp_extract_all(note, wording.date, 4))::integer as year,
        unnest(regexp_extract_all(note, wording.date, 5)) as second_year,
    from (select distinct note from notes)
    cross join (
        select
            '(?i)(year ending\s+)?(?:\b(' || months || ')\s+)?(?:(?:to|and|-|–)\s*(' || months
            || ')\s+)?\b(20\d\d)(?:\s*[/-]\s*(\d\d)\b)?' as date,
        from (select '(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*' as months)
    ) as wording
),
numbered_dates as (
    select
        *,
        list_position(['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], first_month) as first_number,
        coalesce(
            list_position(['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], last_month), first_number
        ) as last_number,
    from dates
),
spans as (
    select
        note,
        -- quarter 4 of 2023/24 is January to March 2024
        case
            when year_ending <> '' then (year * 12 + coalesce(last_number, 12) - 4) // 3 - 3
            when second_year <> '' then year * 4
            else (year * 12 + coalesce(first_number, 1) - 4) // 3
        end as first_key,
        case
            when second_year <> '' then year * 4 + 3
            else (year * 12 + coalesce(last_number, 12) - 4) // 3
        end as last_key,
        regexp_matches(note, '(?i)\b(onwards?|since)\b')
            or regexp_matches(note, '(?i)\bfrom\b.*20\d\d') and not regexp_matches(
                note, '(?i)\b(to|until)\s+(\d+\s+)?(20\d\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)'
            ) as is_open,  -- such as: from 2024 onwards
    from numbered_dates
),
periods as (
    select note, min(first_key) as first_key, if(any_value(is_open), null, max(last_key)) as last_key,
    from spans
    group by note
),
-- names as published, with their capitals; blanks may be missing around them
mentions as (
    select distinct n.note, a.level, a.area_key, a.force_name, s.published_name,
    from (select distinct note from notes) as n
    join stage.area_names as s on contains(n.note, s.published_name)
    join crime_rates_core.areas as a using (area_key)
    where a.kind <> 'unassigned' and a.level in ('csp', 'pfa')
),
-- Rother is not meant where Rotherham is
meant as (
    select *,
    from mentions as m
    where not exists (
        from mentions as o
        where o.note = m.note and o.published_name <> m.published_name and contains(o.published_name, m.published_name)
            and not contains(replace(m.note, o.published_name, ''), m.published_name)
    )
),
areas_meant as (
    select distinct m.note, a.level, a.area_key,
    from meant as m
    join crime_rates_core.areas as a on a.area_key = m.area_key or m.level = 'pfa' and a.force_name = m.force_name
    where a.kind <> 'unassigned'
)
select n.release_key, m.area_key, q.quarter_key, string_agg(distinct n.note, '; ' order by n.note) as note,
from notes as n
join areas_meant as m using (note, level)
left join periods as p using (note)
join stage.release_quarters as q
    on q.release_key = n.release_key and q.level = n.level
    and q.quarter_key >= coalesce(p.first_key, q.quarter_key) and q.quarter_key <= coalesce(p.last_key, q.quarter_key)
group by all
