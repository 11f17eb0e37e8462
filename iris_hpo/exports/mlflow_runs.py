"""Results as runs of MLflow: one for the search, below it one for each candidate."""

import json
import logging
import math
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.exports.mlflow_model import register_champion, unregister
from iris_hpo.exports.mlflow_places import check_location, open_database
from iris_hpo.exports.places import reason_of, without_passwords
from iris_hpo.selection.leaderboard import flat
from iris_hpo.selection.results import Results
from iris_hpo.space.values import Value
from iris_hpo.store.cards import fingerprint
from iris_hpo.text import counted
from iris_hpo.training.artifacts import Workplace
from iris_hpo.training.cards import beside_name, model_name

CANDIDATE: Final = "iris_hpo/candidate"
"""Tag of a candidate's run: its key."""

VERSION: Final = "iris_hpo/version"
"""Tag of a run that is complete: what it was made from."""

_PARENT: Final = "mlflow.parentRunId"
_SEARCH: Final = "iris_hpo/search"
_NOTE: Final = "iris_hpo/note"
"""Tag of the search's run: what was done with the champion."""
_KIND: Final = {"mlflow.experimentKind": "custom_model_development"}
"""Tag of an experiment whose runs MLflow's UI shows first."""
_BESIDE: Final = {"zip": "files.zip", "txt": "log.txt"}
"""Names of what is stored beside a model, by its suffix."""
_NOT_IN_NAMES: Final = re.compile(r"[^\w\-. /:]", re.ASCII)
_PAGE: Final = 1000
_FOLDERS_ALLOWED: Final = "MLFLOW_ALLOW_FILE_STORE"
"""Variable without which MLflow refuses a path, in many words."""


def to_mlflow(results: Results, place: str) -> str:
    """Write the runs into the experiment of the search's name, and register the champion.

    A run that an earlier export wrote is kept if its candidate is the same, and replaced otherwise;
    runs of candidates that are gone are deleted.

    Parameters
    ----------
    place
        MLflow's tracking URI, such as ``http://127.0.0.1:5000`` or ``sqlite:///mlflow.db``.

    Raises
    ------
    InputError
        If MLflow refuses.
    """
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # once for each run
    logging.getLogger("alembic").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of MLflow's own dependencies
            open_database(place)
            return _Experiment(results, place).write()
    except InputError:
        raise
    except (
        MlflowException,
        CommandError,
        SQLAlchemyError,
        OSError,
        ValueError,
        ImportError,
    ) as error:
        reason = reason_of(error)
        if _FOLDERS_ALLOWED in reason:
            reason = "it is no database and no server; give one, such as sqlite:///mlflow.db"
        raise InputError(
            f"the tracking URI {without_passwords(place)} cannot be used by MLflow: {reason}"
        ) from error


class _Experiment:
    """The experiment of a search."""

    def __init__(self, results: Results, place: str) -> None:
        from mlflow import MlflowClient

        self.results = results
        self.client = MlflowClient(place, place)
        experiment = self.client.get_experiment_by_name(results.name)
        self.id = (
            experiment.experiment_id
            if experiment
            else self.client.create_experiment(results.name, tags=_KIND)
        )
        runs = [*self._runs()]
        if experiment:
            ids = {run.info.run_id for run in runs}
            check_location(place, results.name, experiment.artifact_location, ids)
        self.rows = {str(row["candidate"]): row for row in results.rows}
        self.versions = {key: self._version(key) for key in [*self.rows, *results.failures]}
        self.before: dict[str, Any] = {}
        """The run of each candidate that an earlier export wrote, and by no key that of the search.
        """
        self.extra: list[Any] = []
        """More runs of the same candidates: of exports at the same time, from two machines."""
        self._find(runs)

    def _find(self, runs: Sequence[Any]) -> None:
        by_key: dict[str, list[Any]] = {}
        for run in reversed(runs):  # the first first
            tags = run.data.tags
            if CANDIDATE in tags or tags.get(_SEARCH) == self.results.name:
                by_key.setdefault(tags.get(CANDIDATE, ""), []).append(run)
        versions = {"": self.results.champion.version, **self.versions}
        for key, same in by_key.items():
            kept = next((run for run in same if _version_of(run) == versions.get(key)), same[0])
            self.before[key] = kept
            self.extra += [run for run in same if run is not kept]

    def write(self) -> str:
        """Write what is missing or has changed."""
        name = self.results.name
        before = self.before.pop("", None)
        parent = before.info.run_id if before else self._begin(name, {})
        written = 0
        for key, version in self.versions.items():
            old = self.before.pop(key, None)
            if old is not None and _version_of(old) == version:
                if old.data.tags.get(_PARENT) != parent:
                    self.client.set_tag(old.info.run_id, _PARENT, parent)
                continue
            if old is not None:
                self.client.delete_run(old.info.run_id)
            self._write_candidate(parent, key, version)
            written += 1
        gone = [*self.before.values(), *self.extra]
        for old in gone:
            if CANDIDATE not in old.data.tags:
                unregister(self.client, old.info.run_id)
            self.client.delete_run(old.info.run_id)
        note = self._write_search(parent, before)
        kept = len(self.versions) - written
        return (
            f"wrote {counted(written, 'run')}, kept {kept}, deleted {len(gone)}, in the "
            f"experiment {name}; {note}"
        )

    def _runs(self) -> Iterator[Any]:
        token = None
        while True:
            page = self.client.search_runs([self.id], max_results=_PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _version(self, key: str) -> str:
        row = self.rows.get(key)
        facts = self.results.proposals.get(key)
        proposal = {"proposal": dict(facts)} if facts else {}
        if row is None:
            return fingerprint(reason=self.results.failures[key], **proposal)
        model, score = self.results.models.get(key), self.results.scores.get(key)
        return fingerprint(
            row=json.dumps(dict(row)),
            model=model.version if model else "",
            score=score.version if score else "",
            **proposal,
        )

    def _begin(self, name: str, tags: Mapping[str, str], seconds: float = 0) -> str:
        started = int((time.time() - seconds) * 1000)
        tags = {_SEARCH: self.results.name, **tags}
        return self.client.create_run(self.id, started, tags, run_name=name).info.run_id

    def _write_candidate(self, parent: str, key: str, version: str) -> None:
        from mlflow.entities import Param

        row = self.rows.get(key)
        proposal = self.results.proposals.get(key, {})
        tags = {
            CANDIDATE: key,
            _PARENT: parent,
            **{f"iris_hpo/{name}": str(value) for name, value in proposal.items()},
        }
        run = self._begin(key, tags, self.results.seconds.get(key, 0))
        values = self.results.values(key)
        parameters = [Param(name, str(flat(value))) for name, value in values.items()]
        if row is None:
            self.client.log_batch(run, params=parameters)
            self.client.set_tag(run, "iris_hpo/reason", self.results.failures[key][:5000])
        else:
            metrics = [*_metrics(_numbers(self.results, key, row))]
            metrics += _metrics(
                [("fold_score", each) for each in self.results.fold_scores(key)], steps=True
            )
            self.client.log_batch(run, metrics=metrics, params=parameters)
            for name in ("rank", "selected", "champion"):
                self.client.set_tag(run, f"iris_hpo/{name}", str(row[name]).lower())
            self._write_files(run, key)
        self.client.set_terminated(run, "FINISHED" if row else "FAILED")
        self.client.set_tag(run, VERSION, version)  # the last: an export may be interrupted

    def _write_files(self, run: str, key: str) -> None:
        """Attach the model, what is stored beside it, and the cards of a candidate."""
        results = self.results
        model, score = results.models.get(key), results.scores.get(key)
        with closing(Workplace()) as workplace:
            folder = workplace.folder
            if model:
                (folder / "model.json").write_bytes(model.to_bytes())
                content = results.read(model_name(key), model.digest)
                (folder / "model.pkl").write_bytes(content)
                for suffix, digest in (model.beside or {}).items():
                    content = results.read(beside_name(key, suffix), digest)
                    (folder / _BESIDE.get(suffix, f"model.{suffix}")).write_bytes(content)
            if score:
                (folder / "score.json").write_bytes(score.to_bytes())
            self.client.log_artifacts(run, str(folder))

    def _write_search(self, parent: str, before: Any | None) -> str:
        """Write what is known of the search as a whole; return a note on the champion."""
        from mlflow.entities import Metric

        champion = self.results.champion
        if before is not None and _version_of(before) == champion.version:
            return before.data.tags.get(_NOTE, "the champion is registered")
        estimate = champion.estimate or {}
        names = [name for name in ("value", "low", "high") if name in estimate]
        numbers = [("score", champion.score)]
        numbers += [(f"estimate_{name}", estimate[name]) for name in names]
        now = int(time.time() * 1000)
        self.client.log_batch(parent, metrics=[Metric(*each, now, 0) for each in numbers])
        for name in ("key", "rule", "scoring"):
            self.client.set_tag(parent, f"iris_hpo/{name}", getattr(champion, name))
        note = register_champion(self.client, parent, self.results)
        self.client.set_tag(parent, _NOTE, note)
        self.client.set_terminated(parent)
        self.client.set_tag(parent, VERSION, champion.version)
        return note


def _version_of(run: Any) -> str | None:
    return run.data.tags.get(VERSION)


def _numbers(results: Results, key: str, row: Mapping[str, Value]) -> Iterator[tuple[str, object]]:
    for name in ("score", "cv_mean", "cv_std", *results.metrics):
        yield name, row.get(name)
    if key in results.models:
        yield "fit_seconds", results.models[key].seconds
    if key in results.scores:
        yield "score_seconds", results.scores[key].seconds


def _metrics(numbers: Any, *, steps: bool = False) -> Iterator[Any]:
    """Make MLflow's metrics of finite numbers; other characters than it allows become ``_``."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    for at, (name, number) in enumerate(numbers):
        if isinstance(number, (int, float)) and math.isfinite(number):
            yield Metric(_NOT_IN_NAMES.sub("_", name), float(number), now, at if steps else 0)
