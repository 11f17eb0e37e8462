"""Results as an Optuna study, for `optuna-dashboard` and Optuna's plots."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from iris_hpo.errors import InputError
from iris_hpo.exports.optuna_journal import open_journal
from iris_hpo.exports.places import check_database, reason_of, without_passwords
from iris_hpo.interrupts import held
from iris_hpo.samplers.optuna_distributions import tried_distribution
from iris_hpo.selection.champion import MINIMIZE
from iris_hpo.selection.leaderboard import flat
from iris_hpo.selection.results import Results
from iris_hpo.space.axes import Axis
from iris_hpo.space.values import Value
from iris_hpo.store.cards import fingerprint
from iris_hpo.text import counted

_MADE_FROM: Final = "iris_hpo"
"""Attribute of a study that was made here: what it was made from; empty while it is written."""


def to_optuna(results: Results, place: str) -> str:
    """Write a study of the search's name, or replace the one that an earlier export made.

    The value of a trial is the score that ranks, the intermediate values are the scores of the
    folds. Trials are in the order in which the scores were recorded. Their durations are those of
    the candidates; each ends at the time of the export.

    Parameters
    ----------
    place
        A database's URL, such as ``sqlite:///study.db``, or the path of a journal file.

    Raises
    ------
    InputError
        If the storage cannot be used, or has a study of this name that was not made here.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    shown = without_passwords(place)
    try:
        with _open(place) as storage:
            return _write(results, storage, shown)
    except InputError:
        raise
    except Exception as error:  # SQLAlchemy's, the drivers' and Optuna's share no base class
        raise InputError(f"{shown} cannot be used by Optuna: {reason_of(error)}") from error


@contextmanager
def _open(place: str) -> Generator[Any]:
    if "://" not in place:
        with open_journal(place) as storage:
            yield storage
        return
    from optuna.storages import get_storage

    check_database(place, "studies")
    with held():  # a new database gets its tables
        storage = get_storage(place)
    yield storage


def _write(results: Results, storage: Any, shown: str) -> str:
    """Write the study, unless it is there already; return a line that says which."""
    import optuna

    version = _version(results)
    if results.name in optuna.get_all_study_names(storage):
        before = optuna.load_study(study_name=results.name, storage=storage)
        if before.user_attrs.get(_MADE_FROM) == version:
            return f"the study {results.name} in {shown} is up to date"
        if _MADE_FROM not in before.user_attrs and not _is_empty(before):
            raise InputError(
                f"{shown} has a study {results.name!r} that iris_hpo did not write; "
                "give another file or database"
            )
        optuna.delete_study(study_name=results.name, storage=storage)
    direction = "minimize" if results.champion.direction == MINIMIZE else "maximize"
    with held():
        study = optuna.create_study(storage=storage, study_name=results.name, direction=direction)
        study.set_user_attr(_MADE_FROM, "")
    study.set_user_attr("value", results.ranking_title)
    trials = make_trials(results)
    study.add_trials(trials)
    study.set_user_attr(_MADE_FROM, version)
    return f"wrote {counted(len(trials), 'trial')} of the study {results.name} to {shown}"


def _is_empty(study: Any) -> bool:
    """Whether a study has nothing but a name, as an export leaves it that is killed there."""
    return not (study.user_attrs or study.get_trials(deepcopy=False))


def make_trials(results: Results) -> Sequence[Any]:
    """Make a finished trial for each candidate, and a failed one for each that failed."""
    from optuna.trial import TrialState, create_trial

    rows = {str(row["candidate"]): row for row in results.rows}
    order = [*results.order, *(key for key in rows if key not in set(results.order))]
    keys = [*order, *results.failures]
    distributions = _distributions(results, keys)
    seconds, ended = results.seconds, datetime.now()  # noqa: DTZ005 - as Optuna's own
    trials: list[Any] = []
    for key in keys:
        row, parameters = rows.get(key), _parameters(results, key)
        trial = create_trial(
            state=TrialState.COMPLETE if row else TrialState.FAIL,
            value=row[results.ranking] if row else None,  # pyright: ignore[reportArgumentType]
            params=parameters,
            distributions={name: distributions[name] for name in parameters},
            user_attrs=_about(results, key, row),
            intermediate_values=dict(enumerate(results.fold_scores(key))) if row else {},
        )
        trial.datetime_complete = ended
        trial.datetime_start = ended - timedelta(seconds=seconds.get(key, 0))
        trials.append(trial)
    return trials


def _version(results: Results) -> str:
    """What a study is made from."""
    return fingerprint(
        champion=results.champion.version,
        failures=dict(results.failures),
        axes=[repr(axis) for axis in results.space.axes],
        form=3,
    )


def _about(results: Results, key: str, row: Mapping[str, Value] | None) -> dict[str, Any]:
    about = {"candidate": key, **results.proposals.get(key, {})}
    if row is None:
        return {**about, "reason": results.failures[key]}
    names = ("rank", "score", "cv_mean", "cv_std", "selected", "champion", *results.metrics)
    return {**about, **{name: row.get(name) for name in names}}


def _parameters(results: Results, key: str) -> dict[str, Any]:
    return {name: flat(value) for name, value in results.values(key).items()}


def _distributions(results: Results, keys: Sequence[str]) -> Mapping[str, Any]:
    values = [_parameters(results, key) for key in keys]
    return {
        axis.name: _distribution(axis, of_axis)
        for axis in results.space.axes
        if (of_axis := [each[axis.name] for each in values if axis.name in each])
    }


def _distribution(axis: Axis, tried: Sequence[Any]) -> Any:
    """Describe where samplers look, widened to what was tried elsewhere; without a range, guess."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if axis.low is not None and {type(value) for value in tried} <= {int, float}:
        return tried_distribution(axis, tried)
    values: list[Any] = [*map(flat, axis.values), *sorted(tried, key=axis.sort_key)]
    kinds = {type(value) for value in values}
    if kinds <= {int, float}:
        low, high = min(values), max(values)
        is_wide = low > 0 and high > 100 * low
        if kinds == {int}:
            return IntDistribution(low, high, log=is_wide and low >= 1)
        return FloatDistribution(float(low), float(high), log=is_wide)
    return CategoricalDistribution([*{repr(value): value for value in values}.values()])
