"""Which addresses may be asked: those of the four services, and those that the settings name; nothing else, whoever says so.

A listing or a redirect can name any address, also one inside the network of whoever runs this. So an address is asked only if
its origin (scheme, host and port) is on the list; and a host that only the list of public services knows must have a public IP
address. User names and passwords stand in the settings alone: they are kept here by origin, apart from all addresses that are
shown or stored.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from flows.settings import SERVICE_ADDRESSES, Settings
from flows.sources.errors import AddressError
from transforms.errors import UsageError, quoted, without_secrets

PORTS = {"http": 80, "https": 443}
ASSET_HOSTS = ("https://assets.publishing.service.gov.uk", "https://static.ons.gov.uk")  # where files of GOV.UK and ONS lie


@dataclass(frozen=True)
class Origin:
    """What may be on the list: a scheme, a host and a port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, address: str) -> Self:
        """The origin of an http or https address. Raises ValueError for what is none."""
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme not in PORTS or not host:
            raise ValueError("expected an http or https address")
        return cls(parts.scheme, host, parts.port or PORTS[parts.scheme])


@dataclass(frozen=True)
class AllowList:
    """The origins that may be asked. `trusted` ones were named in the settings, and may be inside a private network."""

    public: frozenset[Origin] = frozenset(map(Origin.parse, (*SERVICE_ADDRESSES.values(), *ASSET_HOSTS)))
    trusted: frozenset[Origin] = frozenset()
    credentials: Mapping[Origin, tuple[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, *addresses: str) -> Self:
        """The public services, and these. Raises ValueError for what is no http or https address."""
        origins = [Origin.parse(address) for address in addresses]
        parts = [urlsplit(address) for address in addresses]
        credentials = {
            origin: (unquote(part.username or ""), unquote(part.password or ""))
            for origin, part in zip(origins, parts, strict=True)
            if part.username or part.password
        }
        return cls(trusted=frozenset(origins), credentials=credentials)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The public services, the mirrors in their place, and what CRIME_RATES_ALLOWED_HOSTS adds. Raises UsageError."""
        mirrors = [address for name, public in SERVICE_ADDRESSES.items() if (address := getattr(settings, name)) != public]
        return cls.of(*mirrors, *parse_hosts(settings.allowed_hosts))

    def check(self, address: str, *, service: str, by: str = "") -> Origin:
        """The origin of an address that may be asked; `by` is the address that redirects to it.

        Raises AddressError for one that is not on the list, is no http(s) address, or leads from https to http.
        """
        found = f"a redirect to {quoted(address, 300)}" if by else quoted(address, 300)
        asked = without_secrets(by or address)
        try:
            origin = Origin.parse(address)
            carries_user = "@" in urlsplit(address).netloc
        except ValueError as error:
            raise AddressError(service, asked, "an http or https address", found) from error
        if by and origin.scheme == "http" and by.startswith("https:"):
            raise AddressError(service, asked, "an answer over https", found)
        if carries_user:
            raise AddressError(service, asked, "an address without user name or password", found)
        if origin not in self.public and origin not in self.trusted:
            expected = "an address of the service, or one that CRIME_RATES_ALLOWED_HOSTS names"
            raise AddressError(service, asked, expected, found)
        return origin

    def check_peer(self, origin: Origin, peer: str, *, service: str, url: str) -> None:
        """Raise AddressError when a public host turns out to have an IP address of a private network."""
        if origin in self.trusted:
            return
        ip = ipaddress.ip_address(peer.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        if not ip.is_global or ip.is_multicast:
            raise AddressError(service, url, f"a public IP address of {origin.host}", f"{ip}, which is private or reserved")


def parse_hosts(text: str) -> Iterable[str]:
    """The addresses in a list with commas: `files.example.org` means https, `http://10.0.0.5:8080` what it says."""
    for word in filter(None, map(str.strip, text.split(","))):
        address = word if "://" in word else f"https://{word}"
        try:
            Origin.parse(address)
        except ValueError as error:
            raise UsageError(
                "CRIME_RATES_ALLOWED_HOSTS: expected hosts such as files.example.org or http://10.0.0.5:8080, "
                f"found {quoted(word)}."
            ) from error
        yield address


def without_credentials(address: str) -> str:
    """An address as it is asked, shown and stored: without user name and password."""
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
