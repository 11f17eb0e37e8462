"""What Dagster shows: the asset graph, and every message of ours.

Failures, results of checks, lines of logs and reasons of skips are made here and nowhere else:
whatever text is in them, a page and a terminal can show it.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

from iris_hpo.orchestration.naming import names_of
from iris_hpo.search.metrics import METRICS_VERSION
from iris_hpo.search.spec import SearchSpec
from iris_hpo.text import readable
from iris_hpo.trial import TRAINING_VERSION

CODE_VERSIONS: Final = {
    "raw_data": "1",
    "split": "1",
    "parameters": "1",
    "models": TRAINING_VERSION,
    "scores": METRICS_VERSION,
    "selection": "1",
}
"""Raise an asset's version when its code changes what it makes: Dagster then shows it as stale."""

_OWNERS: Final = ["team:machine-learning"]

_KINDS: Final = {
    "raw_data": {"csv"},
    "split": {"python", "scikitlearn", "csv"},
    "parameters": {"python", "text"},
    "models": {"python", "scikitlearn", "pickle"},
    "scores": {"python", "scikitlearn", "json"},
    "selection": {"python", "csv"},
}

_DESCRIPTIONS: Final = {
    "raw_data": "The data file, read and checked: {data_file}.",
    "split": "Seeded training and test rows. Classes keep their proportions. The folds of "
    "cross-validation lie within the training rows.",
    "parameters": "The candidates that the parameter files make, from values of {axes}. "
    "Materialising it registers new candidates and deletes those whose value is gone.",
    "models": "One {estimator} per candidate, trained on the training rows. Each partition is one "
    "candidate and is up to date or stale by itself.",
    "scores": "The {scoring} of each model on the test rows, and cross-validation on the training "
    "rows.",
    "selection": "Leaderboard, tied best and champion of all current candidates.",
}


def describe(spec: SearchSpec, name: str) -> str:
    """The description of an asset."""
    text = _DESCRIPTIONS[name].format(
        data_file=spec.data_file,
        axes=" and ".join(axis.name for axis in spec.axes),
        estimator=spec.recipe().describe(),
        scoring=spec.scoring,
    )
    return readable(f"{text} {spec.description}".strip() if name == "selection" else text)


def presentation(spec: SearchSpec, name: str) -> dict[str, Any]:
    """Arguments that ``dg.asset`` and ``dg.AssetSpec`` share."""
    return {
        "key": names_of(spec).asset(name),
        "description": describe(spec, name),
        "kinds": _KINDS[name],
        "owners": _OWNERS,
        "group_name": names_of(spec).group,
        "code_version": CODE_VERSIONS[name],
    }


def asset_spec(
    spec: SearchSpec,
    name: str,
    deps: Sequence[str],
    partitions: dg.PartitionsDefinition[str],
    *,
    skippable: bool,
) -> dg.AssetSpec:
    """The spec of one asset of several that are made together."""
    names = names_of(spec)
    return dg.AssetSpec(
        deps=[names.asset(dep) for dep in deps],
        partitions_def=partitions,
        skippable=skippable,
        **presentation(spec, name),
    )


def failure(message: str, metadata: Mapping[str, Any] | None = None) -> dg.Failure:
    """Make the error that ends a run or a tick with a message, and no retry."""
    return dg.Failure(readable(message), metadata=metadata, allow_retries=False)


def check_result(
    description: str,
    *,
    passed: bool,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Make the result of a check."""
    return dg.AssetCheckResult(passed=passed, severity=severity, description=readable(description))


def log_line(log: logging.Logger, line: str, level: int = logging.INFO) -> None:
    """Write a line into the log of a run or of a tick."""
    log.log(level, readable(line))
