"""Environments for the clients, each from its lock in locks/ or node/, made once and again when its lock changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
LOCKS = HERE / "locks"


class NotTried(Exception):
    """A client cannot be run on this machine; says why, in a few words."""


def python(folder: Path, lock: str) -> Path:
    """The interpreter of an environment with what locks/<lock>.txt pins."""
    home, pins = folder / lock, LOCKS / f"{lock}.txt"
    interpreter = home / "bin" / "python"
    if _is_ready(home, pins):
        return interpreter
    _say(f"setting up {lock} …")
    venv.EnvBuilder(clear=True, with_pip=True).create(home)
    install = [
        interpreter,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--requirement",
        pins,
    ]
    _run([str(part) for part in install], folder / f"{lock}.log", f"locks/{lock}.txt could not be installed")
    _mark(home, pins)
    return interpreter


def node(folder: Path) -> Path:
    """A folder with node_modules as node/package-lock.json pins them."""
    home, pins = folder / "node", HERE / "node" / "package-lock.json"
    found("node", "npm")
    if _is_ready(home, pins):
        return home
    _say("setting up node …")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / name, home)
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(home)]
    _run(install, folder / "node.log", "node/package-lock.json could not be installed")
    _mark(home, pins)
    return home


def found(*commands: str) -> str:
    """Where the first of the commands is. Raises NotTried unless all are on the path."""
    for command in commands:
        if shutil.which(command) is None:
            raise NotTried(f"no {command} on this machine")
    return str(shutil.which(commands[0]))


def clean(**more: str) -> dict[str, str]:
    """The environment of a client: ours, without what would lead its interpreter to our packages."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return kept | more


def _is_ready(home: Path, pins: Path) -> bool:
    mark = home / ".ready"
    return mark.exists() and mark.read_text() == _digest(pins)


def _mark(home: Path, pins: Path) -> None:
    (home / ".ready").write_text(_digest(pins))


def _digest(pins: Path) -> str:
    return hashlib.sha256(pins.read_bytes()).hexdigest()


def _run(command: list[str], log: Path, failure: str) -> None:
    with log.open("w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=clean(), check=False)
    if done.returncode:
        raise NotTried(f"{failure}: see {log.name}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
