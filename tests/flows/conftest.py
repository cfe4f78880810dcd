"""What several tests of flows share: a terminal."""

from __future__ import annotations

import pytest

from flows import printing


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most terminals can print a division sign; pytest's may not."""
    monkeypatch.setattr(printing, "can_print", lambda characters: True)  # noqa: ARG005
