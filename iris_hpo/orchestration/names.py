"""What the parts of a search are called in Dagster, and what the asset graph says of them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import dagster as dg

from iris_hpo.samplers import PARAMETER_FILES
from iris_hpo.spec import SearchSpec
from iris_hpo.text import readable
from iris_hpo.training.cards import TRAINING_VERSION
from iris_hpo.training.metrics import METRICS_VERSION

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
    "split": "{split} The folds of cross-validation lie within the training rows.",
    "parameters": "The candidates that the parameter files make, from values of {axes}. "
    "Materialising it registers new candidates and deletes those whose value is gone.",
    "models": "One {objective} per candidate, trained on the training rows. Each partition is one "
    "candidate and is up to date or stale by itself.",
    "scores": "The {scoring} of each model on the test rows, and cross-validation on the training "
    "rows.",
    "selection": "Leaderboard, tied best and champion of all current candidates.",
}
_SAMPLED: Final = (
    "The candidates that {sampler} proposes, of values of {axes}. Materialising it registers new "
    "candidates and deletes those that are no longer proposed."
)
"""Describes `parameters` where the candidates do not come from parameter files."""


LAYOUT = "layout"
"""The metadata of `raw_data` and `split` that says which column was the target."""
NOTES = "notes"
"""The metadata of `raw_data` and `split` that says what to know about the columns and the folds."""


@dataclass(frozen=True)
class Names:
    """Dagster names of one search."""

    search: str
    partitions_name: str

    def asset(self, name: str) -> dg.AssetKey:
        """``models``, or ``wine/models`` for the search ``wine``."""
        return dg.AssetKey([self.search, name] if self.search else [name])

    def plain(self, name: str) -> str:
        """A name that has to be flat: ``select``, or ``wine_select``."""
        return f"{self.search}_{name}" if self.search else name

    def op(self, name: str) -> str:
        """The op that makes an asset: ``models`` and ``scores`` share ``candidates``."""
        op = "candidates" if name in ("models", "scores") else name
        return f"{self.search}__{op}" if self.search else op  # as Dagster names ops of assets

    @property
    def group(self) -> str:
        """The group in the asset graph."""
        return self.search or "hyperparameter_search"

    @property
    def pool(self) -> str:
        """The pool that lets one run of a search work at a time."""
        return self.plain("search")

    @cached_property
    def partitions(self) -> dg.DynamicPartitionsDefinition:
        """The candidates."""
        return dg.DynamicPartitionsDefinition(name=self.partitions_name)

    @cached_property
    def from_files(self) -> dg.DynamicPartitionsDefinition:
        """The candidates that parameter files registered, as opposed to a person in the UI.

        No asset uses these partitions. They are kept where the candidates are kept, so that both
        always agree.
        """
        return dg.DynamicPartitionsDefinition(name=f"{self.partitions_name}_from_files")


def names_of(spec: SearchSpec) -> Names:
    """The names of a search."""
    return Names(spec.name, spec.partitions)


def describe(spec: SearchSpec, name: str) -> str:
    """The description of an asset."""
    is_sampled = name == "parameters" and spec.sampler != PARAMETER_FILES
    text = (_SAMPLED if is_sampled else _DESCRIPTIONS[name]).format(
        data_file=spec.data_file,
        split=spec.division().describe(),
        axes=" and ".join(axis.name for axis in spec.axes),
        objective=spec.make_objective().describe(),
        scoring=spec.scoring,
        sampler=spec.sampler.use,
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
