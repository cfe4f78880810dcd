"""Hosts on one machine: network namespaces, numbered from 1, each with an address of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence

NETWORK, PREFIX = "10.213.77", "crimehost"


def lacking() -> str:
    """Why this cannot be done here; nothing where it can."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if shutil.which("ip") is None:
        return "the command ip is not installed: apt-get install iproute2"
    tried = subprocess.run(["ip", "netns", "add", f"{PREFIX}-try"], capture_output=True, text=True)
    if tried.returncode:
        return f"this system makes no network namespaces: {tried.stderr.strip()}"
    _ip("netns", "del", f"{PREFIX}-try")
    return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def inside(host: int) -> list[str]:
    return ["ip", "netns", "exec", f"{PREFIX}{host}"]


def address(host: int) -> str:
    return f"{NETWORK}.{host}"


@contextlib.contextmanager
def of_hosts(hosts: Sequence[int]) -> Iterator[None]:
    """Hosts on a bridge that lies in the namespace of the first; nothing of them is seen from outside."""
    first = f"{PREFIX}{hosts[0]}"
    try:
        for host in hosts:
            _ip("netns", "add", f"{PREFIX}{host}")
            _ip("-n", f"{PREFIX}{host}", "link", "set", "lo", "up")
        _ip("-n", first, "link", "add", "bridge", "type", "bridge")
        _ip("-n", first, "addr", "add", f"{address(hosts[0])}/24", "dev", "bridge")
        _ip("-n", first, "link", "set", "bridge", "up")
        for host in hosts[1:]:
            ends = f"to{host}", "type", "veth", "peer", "name", "eth", "netns", f"{PREFIX}{host}"
            _ip("-n", first, "link", "add", *ends)
            _ip("-n", first, "link", "set", f"to{host}", "master", "bridge", "up")
            _ip("-n", f"{PREFIX}{host}", "addr", "add", f"{address(host)}/24", "dev", "eth")
            _ip("-n", f"{PREFIX}{host}", "link", "set", "eth", "up")
        yield
    finally:
        for host in hosts:
            subprocess.run(["ip", "netns", "del", f"{PREFIX}{host}"], capture_output=True)


@contextlib.contextmanager
def cut(first: int, host: int) -> Iterator[None]:
    """The link of a host is down, at the end where the bridge is: what it sends is lost, and nothing tells it."""
    bridge = f"{PREFIX}{first}"
    _ip("-n", bridge, "link", "set", f"to{host}", "down")
    try:
        yield
    finally:
        _ip("-n", bridge, "link", "set", f"to{host}", "up")
