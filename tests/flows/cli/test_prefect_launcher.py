"""How the commands start a flow."""

from typing import Any

from flows.cli.prefect_launcher import run_in_process


def _heartbeat(*words: int, return_state: bool) -> Any:
    from prefect.settings import get_current_settings

    assert return_state
    return words, get_current_settings().flows.heartbeat_frequency


def test_a_flow_of_a_command_has_no_heartbeats_to_wait_for(monkeypatch):
    monkeypatch.delenv("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", raising=False)

    assert run_in_process(_heartbeat, 1, 2) == ((1, 2), None)


def test_heartbeats_that_a_person_asks_for_stay(monkeypatch):
    monkeypatch.setenv("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "60")

    assert run_in_process(_heartbeat) == ((), 60)
