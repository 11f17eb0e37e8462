"""Results as runs of MLflow: one for the search, below it one for each candidate."""

import json
import logging
import math
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.exports.mlflow_model import register_champion
from iris_hpo.exports.places import check_database, reason_of, without_passwords
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
            _check(place)
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


def _check(place: str) -> None:
    """Connect to a database before MLflow does, which tries for minutes."""
    from mlflow.store.db.db_types import DATABASE_ENGINES

    scheme, colon, _ = place.partition("://")
    if colon and scheme.partition("+")[0] in DATABASE_ENGINES:
        check_database(place, "experiments")


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
        self.before: dict[str, Any] = {}
        self.parents: list[Any] = []
        for run in self._runs():
            tags = run.data.tags
            if CANDIDATE in tags:
                self.before[tags[CANDIDATE]] = run
            elif tags.get(_SEARCH) == results.name:
                self.parents.append(run)

    def write(self) -> str:
        """Write what is missing or has changed."""
        results = self.results
        parent = self.parents[0].info.run_id if self.parents else self._begin(results.name, {})
        rows = {str(row["candidate"]): row for row in results.rows}
        written = 0
        for key in [*rows, *results.failures]:
            version = self._version(key, rows.get(key))
            old = self.before.pop(key, None)
            if old is not None and old.data.tags.get(VERSION) == version:
                continue
            if old is not None:
                self.client.delete_run(old.info.run_id)
            self._write_candidate(parent, key, rows.get(key), version)
            written += 1
        for old in self.before.values():
            self.client.delete_run(old.info.run_id)
        note = self._write_search(parent)
        kept = len(rows) + len(results.failures) - written
        return (
            f"wrote {counted(written, 'run')}, kept {kept}, deleted {len(self.before)}, in the "
            f"experiment {results.name}; {note}"
        )

    def _runs(self) -> Iterator[Any]:
        token = None
        while True:
            page = self.client.search_runs([self.id], max_results=_PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _version(self, key: str, row: Mapping[str, Value] | None) -> str:
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

    def _write_candidate(
        self, parent: str, key: str, row: Mapping[str, Value] | None, version: str
    ) -> None:
        from mlflow.entities import Param

        proposal = self.results.proposals.get(key, {})
        tags = {
            CANDIDATE: key,
            "mlflow.parentRunId": parent,
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

    def _write_search(self, parent: str) -> str:
        """Write what is known of the search as a whole; return a note on the champion."""
        from mlflow.entities import Metric

        champion = self.results.champion
        if self.parents and self.parents[0].data.tags.get(VERSION) == champion.version:
            return self.parents[0].data.tags.get(_NOTE, "the champion is registered")
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
