"""Every kind of bad answer, one at a time: to a release that has just appeared, to the page, and to the other services.

After each: nothing corrupt is stored as good, the published database stands, and the run says in one sentence what was
amiss, or has mended it by trying again. Then the service behaves, and one more run must take everything in.
"""

from __future__ import annotations

import shutil
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from flows.sources.geoportal import LOOKUPS
from flows.sources.nomis import PATH as NOMIS
from flows.storage import raw_store
from flows.storage.raw_store import FileKind
from tests.support.prefect_server import free_port
from tools.chaos import auditor, service, sources
from tools.chaos.bench import Bench, Done, last_line
from tools.chaos.kill import audit
from tools.chaos.report import Outcome, counted
from tools.chaos.service import LISTING, ODS, ONS, Fault, Handler, Service, lookup, tag

MENDED, REPORTED = "mended by trying again", "reported in a sentence"
UPDATE = ["update"]


# ---------------------------------------------------------------- faults: what is done to one request for `body`
def reset(body: bytes) -> Fault:
    def act(handler: Handler) -> None:
        handler.head(200, len(body), ETag=tag(body), Content_Type=ODS)
        handler.wfile.write(body[: len(body) // 2])
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing now resets
        handler.connection.close()

    return act


def short(body: bytes, **headers: str) -> Fault:
    def act(handler: Handler) -> None:
        handler.head(200, len(body), **({"ETag": tag(body), "Content_Type": ODS} | headers))
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return act


def stall(at: Service, drops: int) -> Callable[[bytes], Fault]:
    def fault(body: bytes) -> Fault:
        def act(handler: Handler) -> None:
            if drops:
                handler.head(200, len(body), ETag=tag(body), Content_Type=ODS)
            for number in range(drops):
                handler.wfile.write(body[number * 50 : number * 50 + 50])
                handler.wfile.flush()
                at.over.wait(0.2)
            at.over.wait(20)  # longer than the client's patience; it will have gone
            handler.close_connection = True

        return act

    return fault


def answer(status: int, said: bytes = b"", **headers: str) -> Callable[[bytes], Fault]:
    return lambda _: lambda handler: handler.whole(said, status, **headers)


def instead(said: bytes, **headers: str) -> Callable[[bytes], Fault]:
    return answer(200, said, **({"Content_Type": ODS} | headers))


def as_type(content_type: str) -> Callable[[bytes], Fault]:
    return lambda body: lambda handler: handler.whole(body, 200, ETag=tag(body), Content_Type=content_type)


def other_range(body: bytes, **headers: str) -> Fault:
    """To a request for the rest: the rest of another version of the file, of the same length."""
    other = other_version(body)

    def act(handler: Handler) -> None:
        start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        handler.whole(other[start:], 206, Content_Range=f"bytes {start}-{len(other) - 1}/{len(other)}", **headers)

    return act


def other_version(body: bytes) -> bytes:
    """As long as `body`, and different from its middle on in bytes that no ZIP directory speaks of."""
    place = len(body) // 2 + 40
    return body[:place] + bytes(byte ^ 0x55 for byte in body[place : place + 60]) + body[place + 60 :]


HTML = b"<!DOCTYPE html><html><head><title>Sorry, there is a problem with the service</title></head><body></body></html>"
GARBAGE = bytes(range(251)) * 8


def cases(at: Service) -> list[tuple[str, str, list[Callable[[bytes], Fault]], set[str]]]:
    """(name, where, what happens to each request in turn, what may come of it); the last happening stays for ever."""
    file, good = "file", lambda _: at.behave
    to_error = answer(302, Location=f"{at.base}/error")
    return [
        ("connection refused", "refused", [], {REPORTED}),
        ("TLS with something that does not speak it", "tls", [], {REPORTED}),
        ("connection reset in the body, once", file, [reset, good], {MENDED}),
        ("connection reset in every body", file, [reset], {REPORTED}),
        ("body shorter than promised, once", file, [short, good], {MENDED}),
        ("body shorter than promised, always", file, [short], {REPORTED}),
        ("a slow drip, then silence, once", file, [stall(at, 3), good], {MENDED}),
        ("silence after the request, always", file, [stall(at, 0)], {REPORTED}),
        ("404", file, [answer(404)], {REPORTED}),
        ("403", file, [answer(403, HTML, Content_Type="text/html")], {REPORTED}),
        ("429 with Retry-After of a second", file, [answer(429, Retry_After="1"), good], {MENDED}),
        ("429 with Retry-After of an hour", file, [answer(429, Retry_After="3600")], {REPORTED}),
        ("500, once", file, [answer(500), good], {MENDED}),
        ("502, always", file, [answer(502)], {REPORTED}),
        ("503, twice", file, [answer(503), answer(503), good], {MENDED}),
        ("redirects without end", file, [lambda _: lambda h: h.whole(b"", 302, Location=h.path)], {REPORTED}),
        ("redirect to an HTML page with 200", file, [to_error], {REPORTED}),
        ("HTML with 200, called a workbook", file, [instead(HTML)], {REPORTED}),
        ("the file, called text/plain", file, [as_type("text/plain")], {MENDED}),
        ("the file, called text/html", file, [as_type("text/html")], {REPORTED}),
        ("an empty body", file, [instead(b"")], {REPORTED}),
        ("bytes of no kind", file, [instead(GARBAGE)], {REPORTED}),
        ("gzip that is none", file, [instead(GARBAGE, Content_Encoding="gzip")], {REPORTED}),
        ("304 to somebody who has nothing", file, [answer(304)], {REPORTED}),
        ("416 to everything", file, [answer(416)], {REPORTED}),
        ("206 to somebody who asked for all", file, [lambda b: lambda h: h.whole(b[9:], 206, ETag=tag(b))], {REPORTED}),
        ("Range ignored", file, [short, lambda b: lambda h: h.whole(b, 200, ETag=tag(b)), good], {MENDED}),
        (
            "Range answered from another version, with its ETag",
            file,
            [short, lambda b: lambda h: other_range(b, ETag='"other"')(h), good],
            {MENDED, REPORTED},
        ),
        ("Range answered from another version, without an ETag", file, [short, other_range, good], {MENDED, REPORTED}),
        (
            "Range answered from another version, with the old ETag",
            file,
            [short, lambda b: lambda h: other_range(b, ETag=tag(b))(h), good],
            {MENDED, REPORTED},
        ),
        (
            "a body cut short without Content-Length",
            file,
            [
                lambda b: (
                    lambda h: (
                        h.head(200, ETag=tag(b), Connection="close"),
                        h.wfile.write(b[: len(b) // 2]),
                        setattr(h, "close_connection", True),
                    )
                ),
                good,
            ],
            {MENDED, REPORTED},
        ),
        ("other bytes under the old name", "changed", [], {MENDED}),
        ("a stored file that is gone, with its address still known", "gone", [], {MENDED}),
        ("the page answers 503", LISTING, [answer(503)], {REPORTED}),
        ("the page answers HTML", LISTING, [instead(HTML)], {REPORTED}),
        ("the page is cut", LISTING, [lambda b: lambda h: h.whole(b[:99])], {REPORTED}),
        ("Nomis answers 500", NOMIS, [answer(500)], {REPORTED}),
        ("Nomis answers HTML", NOMIS, [instead(HTML)], {REPORTED}),
        ("Nomis answers half", NOMIS, [lambda b: lambda h: h.whole(b[: len(b) // 2])], {REPORTED}),
        ("the portal answers an error with 200", lookup(LOOKUPS[0]), [instead(b'{"error": {"code": 400}}')], {REPORTED}),
        ("the portal resets", lookup(LOOKUPS[1]), [reset], {REPORTED}),
        ("ONS answers 404", ONS, [answer(404)], {REPORTED}),
        ("ONS answers HTML", ONS, [instead(HTML, Content_Type="text/html")], {REPORTED}),
    ]


# ---------------------------------------------------------------- the bench
def run(bench: Bench, only: Sequence[str] | None = None) -> Outcome:
    outcome = Outcome("HTTP")
    came = Counter[str]()
    made = bench.fresh("releases")
    made.mkdir()
    files = [sources.write_release(made, number) for number in range(3)]
    releases = {path.name: path.read_bytes() for path in files}
    new = files[2].name
    reference = service.reference_with_one_ons_file(bench.fresh("reference"))
    with service.served({name: body for name, body in releases.items() if name != new}) as at:
        settings = at.environment(reference)
        old = bench.fresh("before")
        _must(bench.run(old, UPDATE, **settings))
        at.releases = dict(releases)
        complete = bench.fresh("complete")
        shutil.copytree(old, complete, symlinks=True)
        _must(bench.run(complete, UPDATE, **settings))
        clean = auditor.whole(complete)
        for name, where, faults, expected in cases(at):
            if only is None or name in only:
                at.releases, at.faults, at.elsewhere = dict(releases), {}, {}
                came[_round(bench, at, old, clean, settings, new, (name, where, faults, expected), outcome)] += 1
    outcome.rounds = came.total()
    outcome.happened = counted(came)
    return outcome


def _round(
    bench: Bench,
    at: Service,
    old: Path,
    clean: auditor.Whole,
    settings: dict[str, str],
    new: str,
    case: tuple[str, str, list[Callable[[bytes], Fault]], set[str]],
    outcome: Outcome,
) -> str:
    name, where, faults, expected = case
    data = bench.fresh("answers")
    shutil.copytree(old, data, symlinks=True)
    before = auditor.whole(data)
    true = {service.tag(body) for body in at.releases.values()}
    allowed = {clean.published}
    if where == "refused":
        at.elsewhere[new] = f"http://127.0.0.1:{free_port()}/media/{new}"
    elif where == "tls":
        at.elsewhere[new] = f"{at.base.replace('http:', 'https:')}/media/{new}"
    elif where == "changed":
        first = next(iter(at.releases))
        at.releases = {first: sources.write_release(bench.folder, 0, extra=5).read_bytes()} | {
            other: body for other, body in at.releases.items() if other != first
        }
        true.add(service.tag(at.releases[first]))
    elif where == "gone":
        shutil.rmtree(next(f for f in raw_store.raw_files(data / "raw", FileKind.OFFENCES)).path.parent)
        before = auditor.whole(data)
    else:
        path = f"/media/{new}" if where == "file" else where
        at.faults[path] = [fault(at.body(path) or b"") for fault in faults]
    elsewhere = ",".join(address.partition("/media/")[0] for address in at.elsewhere.values())
    done = bench.run(data, UPDATE, **(settings | {"CRIME_RATES_ALLOWED_HOSTS": elsewhere}))
    at.over.set()
    at.over.clear()
    came = MENDED if done.code == 0 else REPORTED
    outcome.errors += [f"{name}: {what}" for what in _unlike(done, came, expected)]
    _audit(outcome, data, before, allowed, true, where, name)
    at.faults, at.elsewhere = {}, {}
    for needed in (1, 2, 3):
        done = bench.run(data, UPDATE, **settings)
        whole = auditor.whole(data)
        differs = whole.differs(clean) if where != "changed" else "; ".join(whole.left)
        if done.code == 0 and not differs:
            outcome.recovery(needed, "", name)
            break
    else:
        outcome.recovery(0, f"exit status {done.code}; {differs or last_line(done)}", name)
    _audit(outcome, data, before, allowed, true, where, f"{name}, when all was well again")
    shutil.rmtree(data)
    return came


def _audit(outcome: Outcome, data: Path, before: auditor.Whole, allowed: set[str], true: set[str], where: str, name: str) -> None:
    """As everywhere; and every stored release is, to the byte, one that the server has."""
    if where == "changed":  # builds of other releases than the clean ones
        allowed = allowed | {auditor.whole(data).published}
    audit(outcome, data, before, allowed, name)
    for file in raw_store.raw_files(data / "raw", FileKind.OFFENCES):
        if service.tag(file.path.read_bytes()) not in true:
            outcome.lost.append(f"{name}: {file.path.name} is stored with bytes that no server has")


def _unlike(done: Done, came: str, expected: set[str]) -> list[str]:
    said = []
    if came not in expected:
        said.append(f"expected to be {' or '.join(sorted(expected))}, was {came} ({last_line(done)})")
    if "Traceback" in done.said:
        said.append("a traceback")
    failed = [line for line in done.out.splitlines() if line.startswith("FAILED")]
    if came == REPORTED and len(failed) != 1:
        said.append(f"{len(failed)} sentences about it where one suffices: {' | '.join(failed) or done.err[-200:]}")
    return said


def _must(done: Done) -> None:
    if done.code != 0:
        raise RuntimeError(f"A run that nothing troubled failed: {done.said}")
