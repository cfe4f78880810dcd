"""The closed lists that every question chooses from: levels of areas and of offences, and the basis of areas."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """The kind of area that a table ranks; in order from the smallest areas to the largest."""

    CSP = "csp"
    PFA = "pfa"
    REGION = "region"
    COUNTRY = "country"

    @property
    def label(self) -> str:
        """The level in words, in the singular."""
        return _LABELS[self]

    @property
    def release_level(self) -> Level:
        """The level of the releases that its figures are made of: regions and countries are sums of police force areas."""
        return Level.CSP if self is Level.CSP else Level.PFA


_LABELS = {
    Level.CSP: "Community Safety Partnership",
    Level.PFA: "police force area",
    Level.REGION: "region",
    Level.COUNTRY: "country",
}


class OffenceLevel(StrEnum):
    """How finely offences are told apart, from the finest to the total; a bundle is ours (data/reference/offence_bundles.csv)."""

    CODE = "code"
    SUBGROUP = "subgroup"
    BUNDLE = "bundle"
    GROUP = "group"
    TOTAL = "total"


class AreaBasis(StrEnum):
    """Which areas a table ranks: those of the release, or each on its newest boundaries."""

    PUBLISHED = "published"
    HARMONISED = "harmonised"
