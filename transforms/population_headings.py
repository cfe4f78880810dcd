"""The headings of a table of persons by council: what each one says, and which words tell of part of the people.

Which rows of a table count is decided in `populations`; here are the words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a column of a population table holds."""

    CODE = "code"
    NAME = "name"
    PERSONS = "persons"  # all of them, in the year that the heading names, or in that of the row
    YEAR = "year"
    SUBGROUP = "subgroup"  # says for each row whom it counts: sex, age, measure
    PART = "part"  # counts part of the people: males, an age, a percentage
    UNCLEAR = "unclear"  # looks like persons of a year, and cannot be read as such
    OTHER = "other"


@dataclass(frozen=True)
class Heading:
    """What one heading says; `year` is that of its persons, None where it names none."""

    role: Role
    year: int | None = None
    is_named: bool = True  # False: persons by a word such as "value", which counts only where no heading says persons


_MARKS = re.compile("[\u00b9\u00b2\u00b3\u2070-\u209f*\u2020\u2021\u00a7]")  # superscripts, asterisks and daggers of notes
_DASHES = re.compile("[\u2010-\u2015\u2212\u00ad\ufe58\ufe63\uff0d]")


def _any_of(*patterns: str) -> str:
    return f"({'|'.join(patterns)})"


_NOTE = re.compile(
    r"\s*[\[(]\s*"
    + _any_of(
        r"(foot)?notes?\s*[\d\s,&;and]*",
        r"[\d\s,]+",
        r"[a-z]{1,2}\d{0,2}",
        "revised|provisional|final|rebased",
        "estimates?|mid[- ]year|(as at )?30 june",
        "(all )?(persons|people|ages)",
        r"(on )?(april )?((19|20)\d\d )?(boundaries|geography)( of (april )?(19|20)\d\d)?",
    )
    + r"\s*[\])]"
)
_STATE = re.compile(r"\b(revised|provisional|rebased|final)\b,?")

_PLACE = _any_of(
    "ons|gss|area|council|district|geog(raphy)?",
    "la|lad|lau|lua|ltla|utla",
    r"local authority( district)?|lower tier local authorit\w+",
    "administrative geography",
)
_CODE = re.compile(
    _any_of(
        rf"({_PLACE} )?(code|cd|id)( ?\d\d){{0,2}}",
        rf"{_PLACE}? ?code\d\d",
        r"(lad|ltla|la|area)\d\d ?(cd|code)",
        "areacd|mnemonic|administrative-geography",
    )
)
_NAME = re.compile(
    _any_of(
        rf"({_PLACE} )?(name|nm)( ?\d\d){{0,2}}",
        rf"{_PLACE}? ?name\d\d",
        r"(lad|ltla|la|area)\d\d ?(nm|name)",
        "area|areanm|geography name",
        "(local authority|(local authority )?districts?)(: .*)?",
        "lower tier local authorities",
    )
)
_WHO = (
    "(all |total |estimated |usual |resident )*"
    "(persons?|people|residents?|population|pop|all ages|total)( estimates?| count| total)?"
)
_AFTER_YEAR = _any_of(
    "mid[- ]?year", "population|pop", "persons?|people|residents?", "estimates?|figures?", "all ages|all persons|total|all", "r|p"
)
_PERSONS_OF_YEAR = re.compile(
    rf"(({_WHO}|estimates?)[ ,:-]*)?(at |in |for )?(mid[- ]?(year )?|(30 )?june |year )?"
    rf"(?P<year>(19|20)\d\d)(\.0)?([, :-]*{_AFTER_YEAR})*"
)
_PERSONS = re.compile(
    _any_of(
        "obs[ _]?value",
        f"({_WHO})([, :-]*(all ages|all persons|persons|mid[- ]?year))*",
        "mid[- ]?year (population|estimates?)( estimates?)?",
    )
)
_PLAIN_VALUE = re.compile(r"values?|estimates?|counts?|observations?|v4 \d|numbers?|figures?")
_YEAR = re.compile(r"(date name|date|year|time|calendar[- ]years?|mid[- ]?year|period)( name)?")
_SUBGROUP = re.compile(
    "(c )?"
    + _any_of(
        "sex|sexes|gender",
        "ages?|age ?bands?|age ?groups?|broad age( group)?s?",
        "measures?|measure type|variables?|statistics?|units?|unit of measure(ment)?",
        r"ethnic\w*( group)?|religion|nationality|citizenship|country of birth|marital status",
        "tenure|disability|economic activity( status)?|residence type|population type",
        "category|cell|subgroup|group",
    )
    + r"( name| code| label)?( \(\d+ categories\))?( code)?"
)
_COMPONENT = re.compile(  # what else stands beside persons, with a year in its heading
    _any_of(
        "birth|death|natchange|natural change|change|unattrib|special|census",
        r"migration|internal|international|inflow|outflow|\bnet\b",
        r"per sq|sq km|area \(|hectare|confidence|lower|upper|interval",
    )
)
_PLACES = re.compile(r"region|country|county|district|authorit|geograph|boundar|\bcodes?\b|licence|source|published")
_MID_YEAR = re.compile(r"\bmid[- ]?(year )?\d")
_LOOKS_LIKE_PERSONS = re.compile(
    _any_of(r"(19|20)\d\d", r"\bmid\b|\bmid\d", r"popul|\bpop\b|person|people|resident", "all age|obs.?val|estimate")
)

# ---------------------------------------------------------------- part of the people
_EVERYBODY_WORD = re.compile(
    _any_of(
        "all|total|both|combined|t|of|and|the|in",
        "sex|sexes|gender|ages?|bands?|groups?|category|categories",
        "persons?|people|populations?|usual|residents?|mid|year",
        "estimates?|values?|numbers?|counts?|obs|observation|normal|measure|variable",
    )
)
_EVERYBODY_CODES = {"gender": {"0"}, "sex": {"0", "7"}, "age": {"200"}, "measures": {"20100"}}  # Nomis, NM_2002 and NM_31
_FROM_NOUGHT = re.compile(r"(aged? )?0( ?\+| (and|&) over| to 90 ?\+)")
_BOTH_SEXES = re.compile(r"(fe)?males? (and|&|or|/) (fe)?males?|men and women|women and men")
_PART = re.compile(
    _any_of(
        r"\b((fe)?males?|men|women|boys?|girls?|children|adults?)\b",
        r"\b(working[ -]?age|pensionable)\b",
        r"\b(percent\w*|per ?cent|proportions?|pct)\b|%",
        r"\b(thousands?|0{3}s?|millions?)\b",
        r"\b(projection\w*|projected|forecasts?)\b",
        r"\bage[ds]? ?[1-9]\d?( ?(to|-) ?\d+| ?\+| and over)?|\bage[ds]? 0 ?(to|-) ?(?!90)\d+",
        r"\b\d{1,2} (to \d{1,2}|plus)\b",
        r"\b\d{1,2} (and|&) (over|under|above|older|younger)\b|\b(under|over) \d{1,2}s?\b",
        r"(?<![\d-])[1-9]\d? ?- ?\d{2}(?![\d-])|(?<!\d)[1-9]\d?\+",
        r"\b(median|density|per sq|households?|dwellings?)\b",
    )
)


def plain_text(text: str) -> str:
    """A text without case, notes' marks, invisible characters and odd dashes, with single blanks: for comparing words."""
    text = unicodedata.normalize("NFKC", _DASHES.sub("-", _MARKS.sub("", text)))
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return " ".join(text.replace("_", " ").split()).casefold()


def parse_heading(cell: str) -> Heading:
    """What a heading says, whatever note, state ("(revised)", "[r]") or dash it carries."""
    text = plain_text(cell)
    while (shorter := _NOTE.sub("", text).strip()) != text:
        text = shorter
    text = " ".join(_STATE.sub(" ", text).split()).strip(" ,:;")
    if _CODE.fullmatch(text):
        return Heading(Role.CODE)
    if _NAME.fullmatch(text):
        return Heading(Role.NAME)
    if match := _PERSONS_OF_YEAR.fullmatch(text):
        return Heading(Role.PERSONS, int(match["year"]))
    if _PERSONS.fullmatch(text):
        return Heading(Role.PERSONS)
    if _PLAIN_VALUE.fullmatch(text):
        return Heading(Role.PERSONS, is_named=False)
    if _YEAR.fullmatch(text):
        return Heading(Role.YEAR)
    if _SUBGROUP.fullmatch(text):
        return Heading(Role.SUBGROUP)
    if names_a_part(text) or re.fullmatch(r"(aged? )?\d{1,2} ?\+?|\d{1,2} and over", text):
        return Heading(Role.PART)
    is_place = bool(_PLACES.search(text)) and not _MID_YEAR.search(text)
    if _LOOKS_LIKE_PERSONS.search(text) and not _COMPONENT.search(text) and not is_place:
        return Heading(Role.UNCLEAR)
    return Heading(Role.OTHER)


def names_a_part(text: str) -> str | None:
    """The words of a title, a file name or a cell that say that it counts part of the people; None where there are none."""
    match = _PART.search(_BOTH_SEXES.sub(" ", plain_text(text)))
    return match[0].strip() if match else None


def means_everybody(heading: str, cell: str | None) -> bool:
    """Whether a cell below a heading such as GENDER_NAME, C_AGE or MEASURES says that the row counts all people."""
    text = plain_text(cell or "")
    column = re.sub(r"^c | (name|code|label)$", "", plain_text(heading))
    if text.removesuffix(".0") in _EVERYBODY_CODES.get(column, ()):
        return True
    if _FROM_NOUGHT.fullmatch(text):
        return True
    words = re.findall(r"[a-z0-9%+]+", _BOTH_SEXES.sub("all", text))
    return all(_EVERYBODY_WORD.fullmatch(word) for word in words)
