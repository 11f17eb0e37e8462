"""Checks of a `SearchSpec`: whatever cannot work is an `InputError` when the spec is built.

Each part checks its own fields; what belongs here is what several fields decide together.
"""

from typing import TYPE_CHECKING, Final

from iris_hpo import known_rules
from iris_hpo.data.columns import check_prepare
from iris_hpo.data.named_splitters import refuse_settings
from iris_hpo.data.no_table import refuse_division, refuse_layout
from iris_hpo.data.splitters import Division, SplitSettings
from iris_hpo.engines import check_engine
from iris_hpo.errors import InputError, at_field
from iris_hpo.known_rules import OWN_SCORE
from iris_hpo.reports import DEFAULT_REPORTS, make_reports
from iris_hpo.run_settings import SETTINGS
from iris_hpo.samplers import check_sampler
from iris_hpo.selection.checks import check_names
from iris_hpo.spec_choosing import checked_rule, default_rule, refuse_share, selection_settings
from iris_hpo.text import shorten
from iris_hpo.training.estimator_search import check_estimator, with_values
from iris_hpo.training.estimators import Recipe
from iris_hpo.training.row_weights import check_weighted_scorings, check_weights
from iris_hpo.training.scoring import check_responses, check_scorings
from iris_hpo.training.stopping_fits import check_stopping

if TYPE_CHECKING:
    from iris_hpo.spec import SearchSpec


_FOR_TABLE: Final = {
    "task": "says how the target of a table is read",
    "predict": "names a function that predicts rows of a table",
}
"""Fields of a function or a program that need a table, and what each means."""


def check_spec(spec: "SearchSpec") -> None:
    """Check a search without its data.

    Raises
    ------
    InputError
        With the field that is to be changed.
    """
    if spec.max_candidates < 1:
        raise InputError(
            f"max_candidates {spec.max_candidates} must be at least 1", field=("max_candidates",)
        )
    _check_data(spec)
    with at_field("axes"):
        spec.space  # noqa: B018 - axes that cannot work are refused
    if spec.objective is None:
        _check_estimator(spec)
    else:
        _check_objective(spec)
    if "weight" in spec.layout.row_roles:
        _check_weights(spec, spec.layout.row_roles["weight"])
    _check_parts(spec)
    _check_splitter(spec)
    folds = spec.division().n_folds
    if spec.rule is not None:
        checked_rule(spec, spec.rule, folds)
    if spec.within != SETTINGS["within"].default:
        refuse_share(default_rule(spec, folds), spec.within)
    selection_settings(spec, 0, OWN_SCORE if spec.scores_itself else known_rules.default_rule(0))


def _check_data(spec: "SearchSpec") -> None:
    if spec.data_file and spec.data_asset:
        raise InputError(
            "give either a data_file or an asset with the data, not both", field=("data",)
        )
    if not spec.has_table and spec.called is None:
        raise InputError(
            "give a data_file, or an asset of the project: data: {asset: features}",
            field=("data_file",),
        )
    if not spec.has_table:
        refuse_division(spec.split)
        refuse_layout(spec.layout, spec.prepare)
        for name, meaning in _FOR_TABLE.items():
            if spec.objective is not None and name in spec.objective.settings:
                raise InputError(
                    f"{name} {meaning}; the search has no table, so leave {name} out, or give a "
                    "data_file",
                    field=("objective", name),
                )
    if not all(spec.data_asset.split("/")) and spec.data_asset:
        raise InputError(
            f"the asset {shorten(spec.data_asset)} has an empty part in its key",
            field=("data", "asset"),
        )


def _check_estimator(spec: "SearchSpec") -> None:
    default = spec.default_scoring  # by the task, so that steps without one are refused first
    if spec.known_task is None:
        check_estimator(spec.steps, spec.axes, spec.choices)
    if spec.early_stopping is not None:
        check_stopping(spec.recipe(), [axis.parameter for axis in spec.axes])
    if spec.scoring in ("", default) and not spec.metrics and spec.pos_label is None:
        return
    check_scorings(spec.scorings, spec.task)
    if spec.task == "classification" and all(axis.is_numeric for axis in spec.axes):
        check_responses(spec.scorings, _estimators(spec), spec.recipe().describe())


def _estimators(spec: "SearchSpec") -> list[object]:
    """The estimator with its own settings, and with each option of each choice."""
    options = [{choice.name: option} for choice in spec.choices for option in choice.options]
    return [Recipe(with_values(spec.steps, values)).build() for values in ({}, *options)]


def _check_objective(spec: "SearchSpec") -> None:
    if spec.steps:
        raise InputError("give either an estimator or an objective", field=("objective",))
    if spec.choices:
        raise InputError(
            "choices are settings of an estimator; an objective has none, so take them out",
            field=("choices",),
        )
    if spec.early_stopping is not None:
        raise InputError(
            "early_stopping is for estimators; another objective stops itself, so leave this out",
            field=("early_stopping",),
        )
    scoring = spec.default_scoring
    if spec.scoring not in ("", scoring):
        raise InputError(
            f"scoring {spec.scorings.name!r}: the objective has its own, {scoring!r}; leave this "
            "out",
            field=("scoring",),
        )
    for name in ("metrics", "pos_label"):
        if getattr(spec, name):
            raise InputError(
                f"{name}: the objective scores by itself; leave this out", field=(name,)
            )
    with at_field("objective"):
        spec.own_objective.identity()
        if spec.called is not None:
            parameters = [axis.parameter for axis in spec.axes]
            spec.called.check(parameters, has_table=spec.has_table)
    if spec.called is not None and not spec.scores_itself:
        check_scorings(spec.scorings, spec.task)
        if not spec.has_table:
            raise InputError(
                "scoring needs a table to score on; give a data_file", field=("scoring",)
            )


def _check_weights(spec: "SearchSpec", column: str) -> None:
    if spec.objective is None:
        check_weights(spec.recipe(), spec.scorings, column)
    elif not spec.own_objective.takes_weights:
        raise InputError(
            f"the objective {spec.objective.use} takes no weights of rows, and the column "
            f"{column!r} has the role weight; give its method train an argument weights, or leave "
            f"the weights out by columns: {{{column}: drop}}",
            field=("columns", column),
        )
    elif spec.called is not None and not spec.scores_itself:
        check_weighted_scorings(spec.scorings, column)


def _check_parts(spec: "SearchSpec") -> None:
    with at_field("blocking_checks"):
        check_names(spec.blocking_checks)
    check_prepare(spec.prepare)
    with at_field("sampler"):
        check_sampler(spec.sampler)
    if spec.reports != DEFAULT_REPORTS:  # which import matplotlib
        make_reports(spec.reports)
    if spec.engine:
        with at_field("engine"):
            check_engine(spec.engine)


def _check_splitter(spec: "SearchSpec") -> None:
    default, own = vars(SplitSettings()), vars(spec.split)
    refuse_settings(spec.splitter, [name for name in own if own[name] != default[name]])
    with at_field("splitter"):
        Division(spec.splitter, spec.split, spec.task).splitter()
        spec.splitter_code  # noqa: B018 - right after the import, while the files are the same
    with at_field("stratify"):
        spec.split.stratifies(spec.task)
