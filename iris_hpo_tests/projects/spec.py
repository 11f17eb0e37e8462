"""A search given in Python, in a folder and on an instance of its own, worked by real runs."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from iris_hpo.data.splitters import SplitSettings
from iris_hpo.iris import iris_search
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.names import Names, names_of
from iris_hpo.orchestration.outcome import Outcome
from iris_hpo.orchestration.plan import FullPlan, full_plan
from iris_hpo.orchestration.resources import Counts, Storage
from iris_hpo.orchestration.runner import Launcher
from iris_hpo.orchestration.source_status import Settings
from iris_hpo.orchestration.study import Study
from iris_hpo.run_settings import AUTO, SelectionSettings, WorkSettings
from iris_hpo.spec import SearchSpec
from iris_hpo.store.cards import read_card
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.store.objects import open_store
from iris_hpo.training.cards import ModelCard, ScoreCard
from iris_hpo_tests.projects.files import (
    REPOSITORY_DATA,
    Row,
    files_below,
    read_leaderboard,
    write_parameters,
)
from iris_hpo_tests.projects.recorded import Recorded, copy_record

SOURCES = ("raw_data", "split", "parameters")
CANDIDATES = ("models", "scores")
QUIET: Mapping[str, Any] = {"console": {"config": {"log_level": "CRITICAL"}}}

ONE_SLOT: Any = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}
"""Settings of an instance: pools as the project's own instance has them."""

KEYS = (
    "C0.5_G0.016",
    "C0.5_G0.25",
    "C8.0_G0.016",
    "C8.0_G0.25",
    "C128.0_G0.016",
    "C128.0_G0.25",
)
"""The candidates of a fresh project: three values of C by two of gamma."""


def small_spec(home: Path) -> SearchSpec:
    """The shipped search with two folds, which are faster than five, and without a drawing."""
    return replace(iris_search(), home=home, split=SplitSettings(folds=2, repeats=1), reports=())


@dataclass
class SpecProject(Recorded):
    """A search with its files; every method that works does so by a run on the instance.

    Attributes
    ----------
    root
        Holds `data` and `artifacts`.
    counts
        What the launcher's progress was told last.
    """

    root: Path
    instance: dg.DagsterInstance
    spec: SearchSpec
    told: list[Counts] = field(default_factory=list[Counts])

    @classmethod
    def create(
        cls, folder: Path, instance: dg.DagsterInstance, spec: SearchSpec | None = None
    ) -> "SpecProject":
        """Make the files of a fresh project."""
        made = cls(folder, instance, spec or small_spec(folder))
        made.parameters.mkdir(parents=True)
        shutil.copyfile(REPOSITORY_DATA / "noisy_iris.csv", made.data_file)
        made.write_axis("c", 0.5, 8, 128)
        made.write_axis("gamma", 0.016, 0.25)
        return made

    def copy(self, folder: Path, instance: dg.DagsterInstance) -> "SpecProject":
        """Copy files and record, of one instance in memory to another: far quicker than a search.

        Time stamps of files are kept. Paths in metadata are those of the original.
        """
        shutil.copytree(self.root, folder)
        copy_record(self.instance, instance)
        made = SpecProject(folder, instance, self.spec)
        made.defs = self.defs
        return made

    # Files

    @property
    def parameters(self) -> Path:
        return self.root / "data" / "parameters"

    @property
    def data_file(self) -> Path:
        return self.root / "data" / "noisy_iris.csv"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    def write_axis(self, axis: str, *values: float | str, suffix: str = "") -> Path:
        return write_parameters(self.parameters, axis, values, suffix=suffix)

    def change_data(self) -> bytes:
        """Leave out the data's last row; give the content from before."""
        before = self.data_file.read_bytes()
        self.data_file.write_bytes(b"".join(before.splitlines(keepends=True)[:-1]))
        return before

    def files(self, folder: str = "") -> dict[str, tuple[int, bytes]]:
        """Read every artifact below a folder with its time of writing."""
        return files_below(self.artifacts, folder)

    def occupy(self, key: str) -> Path:
        """Put a folder that holds something in the place of a model; it is never deleted."""
        folder = self.model_file(key)
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_text("of somebody else")
        return folder

    def model_file(self, key: str) -> Path:
        return self.artifacts / "models" / f"model_{key}.pkl"

    @property
    def storage(self) -> Storage:
        return Storage(data=str(self.root / "data"), artifacts=str(self.artifacts))

    @property
    def store(self) -> ArtifactStore:
        return open_store(str(self.artifacts))

    def model_card(self, key: str) -> ModelCard:
        return read_card(self.store, f"models/model_{key}.json", ModelCard)

    def score_card(self, key: str) -> ScoreCard:
        return read_card(self.store, f"scores/{key}.json", ScoreCard)

    def leaderboard(self) -> list[Row]:
        """Read the stored rows, best first."""
        return read_leaderboard(self.artifacts)

    # Runs

    @cached_property
    def names(self) -> Names:
        return names_of(self.spec)

    @cached_property
    def defs(self) -> dg.Definitions:
        checks = dg.define_asset_job("checks_alone", dg.AssetSelection.all_asset_checks())
        return dg.Definitions.merge(build_search(self.spec), dg.Definitions(jobs=[checks]))

    def run(
        self,
        *assets: str,
        keys: Sequence[str] = (),
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
        **config: Mapping[str, Any],
    ) -> dg.ExecuteInProcessResult:
        """Materialise assets in one run of the job that they belong to.

        Parameters
        ----------
        keys
            The first and the last are the ends of the range of candidates.
        partition
            One candidate, by Dagster's own tag for it.
        config
            Of the ops, by their names.
        """
        ends = (
            {
                "dagster/asset_partition_range_start": keys[0],
                "dagster/asset_partition_range_end": keys[-1],
            }
            if keys
            else {}
        )
        job = "select" if "selection" in assets else "search"
        ops = {name: dict(values) for name, values in config.items()}
        if set(assets) & set(CANDIDATES):
            ops["candidates"] = {"engine": "serial", **ops.get("candidates", {})}
        if "selection" in assets:
            ops["selection"] = {"engine": "serial", **ops.get("selection", {})}
        return self.defs.resolve_job_def(job).execute_in_process(
            run_config=self._run_config({self.names.plain(op): ops[op] for op in ops}),
            instance=self.instance,
            asset_selection=[self.names.asset(name) for name in assets],
            partition_key=partition,
            tags={**ends, **(tags or {})},
            raise_on_error=False,
        )

    def materialize_sources(self, **config: Mapping[str, Any]) -> None:
        succeed(self.run(*SOURCES, **config))

    def materialize_candidates(self, **config: Mapping[str, Any]) -> dg.ExecuteInProcessResult:
        """Train and score all registered candidates."""
        return self.run(*CANDIDATES, keys=self.registered(), **config)

    def search(self, **config: Mapping[str, Any]) -> "SpecProject":
        """Do all of it once, successfully."""
        self.materialize_sources(
            **{name: values for name, values in config.items() if name in SOURCES}
        )
        candidates = config.get("candidates", {})
        succeed(self.materialize_candidates(candidates=candidates))
        succeed(self.run("selection", selection=config.get("selection", {})))
        return self

    def check(self, name: str) -> dg.AssetCheckEvaluation:
        """Evaluate the checks alone, in a run; give one's result."""
        result = self.defs.resolve_job_def("checks_alone").execute_in_process(
            run_config=self._run_config({}), instance=self.instance, raise_on_error=False
        )
        return next(
            found for found in result.get_asset_check_evaluations() if found.check_name == name
        )

    # The launcher

    def note_progress(self, context: dg.AssetExecutionContext, counts: Counts) -> None:  # noqa: ARG002
        self.told.append(replace(counts))

    def settings(self, *, folds: int = 2, **choices: str) -> Settings:
        return Settings(SplitSettings(folds=folds, repeats=1), {"kernel": "rbf", **choices})

    def study(self) -> Study:
        """A study that has read nothing yet."""
        return Study(self.spec, self.instance, self.storage)

    def plan(self, settings: Settings | None = None) -> FullPlan:
        return full_plan(self.study(), settings or self.settings())

    def launch(
        self,
        settings: Settings | None = None,
        rule: str = "test_score",
        refit: str = AUTO,
        waited_since: int | None = None,
        **work: Any,
    ) -> Outcome:
        """What `iris-hpo run` does."""
        launcher = Launcher(self.study(), self.note_progress, waited_since=waited_since)
        return launcher.bring_up_to_date(
            settings or self.settings(),
            SelectionSettings(rule, refit),
            WorkSettings(**{"engine": "serial", **work}),
        )

    def _run_config(self, ops: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "ops": {name: {"config": dict(config)} for name, config in ops.items()},
            "resources": {
                "iris_hpo_storage": {
                    "config": {
                        "data": str(self.root / "data"),
                        "artifacts": str(self.artifacts),
                    }
                }
            },
            "loggers": QUIET,
        }


def failure_text(result: dg.ExecuteInProcessResult) -> str:
    """What a failed run says to its user."""
    assert not result.success
    said: list[str] = []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None:
                said.append(str(data.user_failure_data.description))
            elif data.error is not None:
                said.append(data.error.to_string())
    return "\n".join(said)


def succeed(result: dg.ExecuteInProcessResult) -> None:
    """Demand that a run succeeded."""
    assert result.success, failure_text(result)
