"""Bad settings, wherever they stand: the instance, the environment, the launchpad, a spec."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError
from iris_hpo.iris import iris_search
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.ranges import range_tags
from iris_hpo.space.axes import Axis
from iris_hpo.training.estimators import Step
from iris_hpo_tests.projects import QUIET, ShippedProject, failure_text


def broken_yaml(project: ShippedProject) -> str:
    (project.root / "home" / "dagster.yaml").write_text("run_monitoring: [\n")
    return "while parsing a flow node expected the node content, but found '<stream end>'"


def unknown_yaml(project: ShippedProject) -> str:
    (project.root / "home" / "dagster.yaml").write_text("nonsense: 3\n")
    return 'Received unexpected config entry "nonsense" at the root.'


def unknown_module(project: ShippedProject) -> str:
    (project.root / "home" / "dagster.yaml").write_text(
        "event_log_storage:\n  module: no.such\n  class: X\n"
    )
    return "Couldn't import module no.such"


@pytest.mark.parametrize("command", ["run", "status", "leaderboard"])
@pytest.mark.parametrize("break_it", [broken_yaml, unknown_yaml, unknown_module])
def test_settings_of_the_instance(few: ShippedProject, break_it: Any, command: str) -> None:
    reason = break_it(few)
    result = few.call(command)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    home = few.root / "home"
    assert result.stderr.startswith(
        f"iris-hpo: the Dagster instance of DAGSTER_HOME {home} cannot be opened: "
    )
    assert reason in result.stderr
    assert len(result.stderr) < 600


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DAGSTER_HOME", "{root}/file", "DAGSTER_HOME {root}/file cannot be made: File exists"),
        ("DAGSTER_HOME", "relative", "DAGSTER_HOME 'relative' must be an absolute path"),
        *(
            (
                "IRIS_HPO_SENSOR_SECONDS",
                value,
                f"IRIS_HPO_SENSOR_SECONDS '{value}' must be a whole number of seconds, 1 to 86400",
            )
            for value in ("abc", "-5", "0", "1.5", "1e3", "٣", "99999999999")
        ),
        (
            "IRIS_HPO_ARTIFACTS",
            "nowhere://x/y",
            "artifacts 'nowhere://x/y' cannot be used: Unsupported filesystem: 'nowhere'",
        ),
        ("LOKY_MAX_CPU_COUNT", "two", "LOKY_MAX_CPU_COUNT 'two' must be a number of processes"),
        (
            "DAGSTER_EVENT_BATCH_SIZE",
            "1e3",
            "DAGSTER_EVENT_BATCH_SIZE '1e3' must be a number of events",
        ),
    ],
)
def test_environment(
    few: ShippedProject, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    (few.root / "file").write_text("a file")
    environment = {**few.environment, name: value.format(root=few.root)}
    monkeypatch.setattr(ShippedProject, "environment", environment)
    result = few.call("run")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"iris-hpo: {message.format(root=few.root)}\n"


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ({"split": {"folds": 1}}, "folds 1 must be 0 (off) or at least 2"),
        ({"split": {"seed": -1}}, "seed -1 must lie between 0 and 4294967295"),
        ({"split": {"test_size": 1.5}}, "test_size 1.5 must lie between 0 and 1, such as 0.2"),
        ({"candidates": {"jobs": -1}}, "jobs -1 must be 0 (one per core)"),
        ({"candidates": {"retries": -1}}, "retries -1 must be 0 or more"),
        ({"candidates": {"candidate_timeout": 0.0}}, "candidate_timeout 0.0 must be a number"),
        (
            {"candidates": {"candidate_timeout": 1.0, "engine": "serial"}},
            "candidate_timeout needs worker processes: the engine 'serial' cannot stop a fit",
        ),
    ],
)
def test_run_configuration(
    done: ShippedProject, ops: Mapping[str, Mapping[str, Any]], message: str
) -> None:
    """Settings of the launchpad: the run fails with the message; stored results stay."""
    before = done.files()
    assets = ["split"] if "split" in ops else ["models", "scores"]
    job = build_search(iris_search()).resolve_job_def("search")
    places = {"data": str(done.data), "artifacts": str(done.artifacts)}
    with done.instance() as instance:
        keys = instance.get_dynamic_partitions("c_gamma")
        result = job.execute_in_process(
            run_config={
                "ops": {name: {"config": dict(values)} for name, values in ops.items()},
                "resources": {"iris_hpo_storage": {"config": places}},
                "loggers": QUIET,
            },
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in assets],
            tags={} if "split" in ops else range_tags(keys),
            raise_on_error=False,
        )
    assert failure_text(result).startswith(message)
    assert done.files() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": ()}, "a search needs at least one axis"),
        ({"axes": (Axis("C", "C"), Axis("c", "D"))}, "two axes are named 'c'"),
        ({"axes": (Axis("C", "C"), Axis("gamma", "CG"))}, "could be confused in a key"),
        (
            {"axes": (Axis("C", "C"), Axis("depth", "D"))},
            "SVC has no parameter 'depth'; it has C",
        ),
        ({"name": "../x"}, "search name '../x': use lower-case letters"),
        ({"steps": (Step("os.system"),)}, "os.system"),
        ({"steps": (Step("sklearn.svm.NoSuch"),)}, "sklearn.svm.NoSuch"),
        ({"scoring": "best"}, "scoring 'best' is unknown to scikit-learn"),
        ({"rule": "cv", "split": SplitSettings(folds=0)}, "set folds to at least 2"),
        ({"max_candidates": 0}, "max_candidates 0 must be at least 1"),
    ],
)
def test_specs(changes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        build_search(replace(iris_search(), **changes))
    assert message in str(refused.value)
