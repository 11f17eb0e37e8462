"""`deploy/`: its parts name each other rightly, its commands exist, and its instance opens.

No container is run here.
"""

import re
import shlex
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import pytest
import yaml
from dagster_postgres import PostgresRunStorage, PostgresScheduleStorage

from iris_hpo.event_log.postgres import KeptPostgresEventLog
from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.scale.postgres import SETTINGS, Postgres

DEPLOY = REPOSITORY / "deploy"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def of_our_image(services: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in services.items() if one["image"] == "iris_hpo"}


def test_the_parts_are_there_and_share_image_and_settings(services: dict[str, Any]) -> None:
    ours = of_our_image(services)
    assert set(ours) == {"webserver", "daemon", "code", "scheduler", "worker"}
    assert set(services) - set(ours) == {"postgres", "storage"}
    assert len({str(one["environment"]) for one in ours.values()}) == 1
    for one in services.values():
        assert set(one.get("depends_on", ())) <= set(services)


def test_addresses_name_services(services: dict[str, Any]) -> None:
    settings = services["worker"]["environment"]
    places = {
        name: urlsplit(re.sub(r"\$\{.*?\}", "x", settings[name]))
        for name in ("DAGSTER_POSTGRES_URL", "IRIS_HPO_DASK_ADDRESS", "AWS_ENDPOINT_URL")
    }
    assert {name: place.hostname for name, place in places.items()} == {
        "DAGSTER_POSTGRES_URL": "postgres",
        "IRIS_HPO_DASK_ADDRESS": "scheduler",
        "AWS_ENDPOINT_URL": "storage",
    }
    assert f"--port {places['IRIS_HPO_DASK_ADDRESS'].port}" in services["scheduler"]["command"]
    assert settings["IRIS_HPO_DASK_ADDRESS"] in services["worker"]["command"]
    assert f"--address :{places['AWS_ENDPOINT_URL'].port}" in services["storage"]["entrypoint"]
    bucket = urlsplit(settings["IRIS_HPO_ARTIFACTS"]).hostname
    assert f"mkdir -p /data/{bucket} " in services["storage"]["entrypoint"]
    assert (
        settings["AWS_SECRET_ACCESS_KEY"]
        == (services["storage"]["environment"]["MINIO_ROOT_PASSWORD"])
    )
    (location,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    server = location["grpc_server"]
    assert server["host"] in services
    assert f"-p {server['port']} " in services[server["host"]]["command"]
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["tool"]["dagster"]
    assert server["location_name"] == project["code_location_name"]
    assert f"-m {project['module_name']}" in services["code"]["command"]


# Dask registers its commands whenever it is called.
@pytest.mark.filterwarnings("ignore:While registering the command with name")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["webserver", "daemon", "code", "scheduler", "worker"])
def test_commands_and_their_options_exist(
    services: dict[str, Any],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program, *arguments = shlex.split(services[name]["command"])
    subcommand = [word for word in arguments if re.fullmatch(r"[a-z-]+", word)][:2]
    subcommand = [word for word in subcommand if not word.startswith("-")]
    options = [word for word in arguments if word.startswith("-")]

    # As its script does, in this process.
    (script,) = entry_points(group="console_scripts", name=program)
    monkeypatch.setattr(sys, "argv", [program, *subcommand, "--help"])
    with pytest.raises(SystemExit) as end:
        script.load()()

    help_text = capsys.readouterr().out
    assert end.value.code == 0
    assert options
    for option in options:
        assert re.search(rf"(^|[\s,]){option}\b", help_text), f"{program} has no {option}"


def test_the_image_copies_files_that_exist() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY")]
    assert copied
    for name in (name for names in copied for name in names):
        assert (REPOSITORY / name).exists(), name
    (installed,) = re.findall(r"'\.\[(.*)\]'", "\n".join(lines))
    declared = (REPOSITORY / "setup.cfg").read_text()
    for extra in installed.split(","):
        assert f"\n{extra} =\n" in declared


def test_the_instance_opens_and_has_its_settings(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres.new_database())
    (tmp_path / "dagster.yaml").write_text(SETTINGS.read_text())

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, KeptPostgresEventLog)
        assert isinstance(instance.schedule_storage, PostgresScheduleStorage)
        assert isinstance(instance.run_storage, PostgresRunStorage)
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 2
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.global_op_concurrency_default_limit == 4
