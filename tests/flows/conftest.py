"""What several tests of flows share: a terminal."""

from __future__ import annotations

import pytest

from flows.rendering import text_tables


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most terminals can print a division sign; pytest's may not."""
    monkeypatch.setattr(text_tables, "can_print", lambda characters: True)  # noqa: ARG005
