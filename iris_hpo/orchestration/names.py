"""The names of a search's parts in Dagster, and their descriptions in the asset graph."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import dagster as dg

from iris_hpo.data.findings import Finding
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
"""Raise an asset's version when its code makes other results: Dagster then shows it as stale."""

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
_OF_ASSET: Final = (
    "The value of the asset {data_asset}, checked and kept as a file, which the search learns from."
)
"""Description of `raw_data` if the data is an asset of the project."""
_WITHOUT_TABLE: Final = {
    "raw_data": "Nothing: the search has no table. All searches have the same assets.",
    "split": "The seed of the search, which has no table.",
    "models": "What one {objective} per candidate gives and leaves. Each partition is one "
    "candidate and is up to date or stale by itself.",
    "scores": "The {scoring} that each candidate gave, with other metrics.",
}
"""Descriptions of assets of a search without a table."""

_SAMPLED: Final = (
    "The candidates that {sampler} proposes, of values of {axes}. Materialising it registers new "
    "candidates and deletes those that are no longer proposed."
)
"""Description of `parameters` if the candidates do not come from parameter files."""


IDENTITY = "identity"
"""Metadata of `split` and `parameters`: what their data version follows from."""
LAYOUT = "layout"
"""Metadata of `raw_data` and `split`: which column was the target."""
CHAMPION = "iris_hpo_champion"
"""Key of the IO manager that gives assets below a selection its champion."""
NO_TABLE: Final = "the search has no table"
"""Note of `raw_data` and `split` where there is no data file."""
NOTES = "notes"
"""Metadata of `raw_data` and `split`: notes on the columns and the folds."""


@dataclass(frozen=True)
class Names:
    """The Dagster names of a search."""

    search: str
    partitions_name: str

    def asset(self, name: str) -> dg.AssetKey:
        """Key of an asset: ``models``, or ``wine/models`` for the search ``wine``."""
        return dg.AssetKey([self.search, name] if self.search else [name])

    def plain(self, name: str) -> str:
        """Name without slashes, of a job or a sensor: ``select``, or ``wine_select``."""
        return f"{self.search}_{name}" if self.search else name

    def op(self, name: str) -> str:
        """Name of the op that makes an asset: ``models`` and ``scores`` share ``candidates``."""
        op = "candidates" if name in ("models", "scores") else name
        return f"{self.search}__{op}" if self.search else op  # as Dagster names ops of assets

    @property
    def group(self) -> str:
        """The group in the asset graph."""
        return self.search or "hyperparameter_search"

    @property
    def pool(self) -> str:
        """The pool whose slots limit the runs of a search that work at once."""
        return self.plain("search")

    @cached_property
    def partitions(self) -> dg.DynamicPartitionsDefinition:
        """The partitions of the candidates."""
        return dg.DynamicPartitionsDefinition(name=self.partitions_name)

    @cached_property
    def from_files(self) -> dg.DynamicPartitionsDefinition:
        """The candidates that were registered because they were listed, not by a user in the UI.

        No asset uses these partitions. They are stored in the same place as the candidates, so that
        both always agree.
        """
        return dg.DynamicPartitionsDefinition(name=f"{self.partitions_name}_from_files")

    @cached_property
    def proposed(self) -> dg.DynamicPartitionsDefinition:
        """The notes on candidates that a sampler proposed, see `iris_hpo.orchestration.proposals`.

        No asset uses these partitions; they are stored with the candidates, as `from_files`.
        """
        return dg.DynamicPartitionsDefinition(name=f"{self.partitions_name}_proposed")


def names_of(spec: SearchSpec) -> Names:
    """Return the names of a search."""
    return Names(spec.name, spec.partitions)


def describe(spec: SearchSpec, name: str) -> str:
    """Return the description of an asset."""
    is_sampled = name == "parameters" and spec.sampler != PARAMETER_FILES
    descriptions = _DESCRIPTIONS if spec.has_table else {**_DESCRIPTIONS, **_WITHOUT_TABLE}
    text = _SAMPLED if is_sampled else descriptions[name]
    if name == "raw_data" and spec.data_asset:
        text = _OF_ASSET
    text = text.format(
        data_file=spec.data_file,
        data_asset=spec.data_asset,
        split=spec.division().describe(),
        axes=" and ".join(axis.name for axis in spec.axes),
        objective=spec.make_objective().describe(),
        scoring=spec.scorings.name,
        sampler=spec.sampler.use,
    )
    return readable(f"{text} {spec.description}".strip() if name == "selection" else text)


def _kinds(spec: SearchSpec, name: str) -> set[str]:
    """Kinds of an asset; scikit-learn only where its splitter or an estimator of it works."""
    if name == "raw_data" and spec.data_asset:
        return {"arrow"}
    is_built_in = spec.division().is_built_in if name == "split" else spec.objective is None
    kinds = _KINDS[name] if is_built_in else _KINDS[name] - {"scikitlearn"}
    if not spec.has_table and name in ("raw_data", "split"):
        return {"python"}
    return kinds


def presentation(spec: SearchSpec, name: str) -> dict[str, Any]:
    """Return the arguments that ``dg.asset`` and ``dg.AssetSpec`` share."""
    return {
        "key": names_of(spec).asset(name),
        "description": describe(spec, name),
        "kinds": _kinds(spec, name),
        "owners": _OWNERS,
        "group_name": names_of(spec).group,
        "code_version": CODE_VERSIONS[name],
    }


def asset_spec(
    spec: SearchSpec,
    name: str,
    deps: Sequence[str],
    partitions: dg.PartitionsDefinition[str],
) -> dg.AssetSpec:
    """Make the spec of one of several assets that are made together."""
    names = names_of(spec)
    made = dg.AssetSpec(
        deps=[names.asset(dep) for dep in deps],
        partitions_def=partitions,
        skippable=True,  # where the run's partitions were removed
        **presentation(spec, name),
    )
    return made.with_io_manager_key(CHAMPION)


def failure(message: str, metadata: Mapping[str, Any] | None = None) -> dg.Failure:
    """Make the error that ends a run or a tick with a message and without a retry."""
    return dg.Failure(readable(message), metadata=metadata, allow_retries=False)


def check_result(
    description: str,
    *,
    passed: bool,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    name: str | None = None,
) -> dg.AssetCheckResult:
    """Make the result of a check, which is named if its op makes several."""
    return dg.AssetCheckResult(
        passed=passed, severity=severity, description=readable(description), check_name=name
    )


def finding_result(spec: SearchSpec, name: str, finding: Finding) -> dg.AssetCheckResult:
    """Make the result of a finding: a warning, unless the search says that the check blocks."""
    blocks = name in spec.blocking_checks
    severity = dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN
    return check_result(finding.text, passed=finding.passed, severity=severity, name=name)


def check_specs(
    spec: SearchSpec, asset: str, descriptions: Mapping[str, str]
) -> list[dg.AssetCheckSpec]:
    """Describe the checks of an asset; those that the search names block what follows."""
    return [
        dg.AssetCheckSpec(
            name,
            asset=names_of(spec).asset(asset),
            description=description,
            blocking=name in spec.blocking_checks,
        )
        for name, description in descriptions.items()
    ]


def log_line(log: logging.Logger, line: str, level: int = logging.INFO) -> None:
    """Write a line into the log of a run or of a tick."""
    log.log(level, readable(line))


def prepares(spec: SearchSpec) -> bool:
    """Whether the features of a search may be other than complete numbers."""
    return spec.prepare == "auto" and (spec.objective is None or spec.called is not None)
