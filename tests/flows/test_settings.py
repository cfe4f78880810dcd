"""What the environment says is read in one module, and what it says of a lakehouse reaches whoever asks there."""

import ast
from pathlib import Path

import pytest

from flows import settings
from flows.settings import PrefectEnvironment, lakehouse_access, set_defaults

FLOWS = Path(settings.__file__).parent
ALLOWED = {
    "settings.py": "the module that reads it",
    "common/subprocesses.py": "passes it on to a process that one of ours starts",
}
NAMES = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def touches_environment(source: str) -> bool:
    """Whether a module names the environment, as os.environ, os.getenv or imported from os."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in NAMES and isinstance(node.value, ast.Name) and node.value.id == "os":
            return True
        if isinstance(node, ast.ImportFrom) and node.module in ("os", "posix") and NAMES & {name.name for name in node.names}:
            return True
        if isinstance(node, ast.Import) and any(name.name == "os" and name.asname for name in node.names):
            return True  # under another name it could not be told
    return False


def test_the_environment_is_touched_in_settings_alone():
    found = {path.relative_to(FLOWS).as_posix() for path in FLOWS.rglob("*.py") if touches_environment(path.read_text())}

    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['A']",
        "import os\nos.getenv('A')",
        "from os import environ",
        "from os import path, getenv as g",
        "import os as system",
    ],
)
def test_each_way_to_read_the_environment_is_found(source):
    assert touches_environment(source)


def test_other_uses_of_os_are_no_reading():
    assert not touches_environment("import os\nos.replace('a', 'b')\nsettings.environ")


def test_the_lakehouse_is_reached_as_the_standard_variables_say(monkeypatch):
    for name in ("PGOPTIONS", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://general")
    access = lakehouse_access()

    assert (access.s3_key_id, access.s3_secret, access.s3_session_token, access.postgres_options) == ("key", "hidden", "", "")
    assert (access.s3_region, access.s3_endpoint) == ("eu-west-2", "http://general")
    assert "hidden" not in repr(access)


def test_variables_of_s3_itself_go_before_general_ones(monkeypatch):
    for name, value in {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_ENDPOINT_URL_S3": "http://own",
        "AWS_ENDPOINT_URL": "http://general",
    }.items():
        monkeypatch.setenv(name, value)

    assert (lakehouse_access().s3_region, lakehouse_access().s3_endpoint) == ("eu-west-1", "http://own")


def test_a_default_does_not_replace_what_the_person_has_set(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://set")
    monkeypatch.delenv("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", raising=False)
    assert PrefectEnvironment.from_environment() == PrefectEnvironment("http://set", heartbeats=False)

    monkeypatch.setenv("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "gone after the test")
    monkeypatch.delenv("PREFECT_FLOWS_HEARTBEAT_FREQUENCY")
    set_defaults({"PREFECT_API_URL": "http://default", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "60"})

    assert PrefectEnvironment.from_environment() == PrefectEnvironment("http://set", heartbeats=True)
