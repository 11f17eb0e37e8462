"""`selection`: from recorded scores to a leaderboard, the selected models and the champion."""

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from iris_hpo.orchestration.claims import check_claim
from iris_hpo.orchestration.config import SelectionConfig, selection_config
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.inputs import Upstream, read_upstream
from iris_hpo.orchestration.last_run import changed
from iris_hpo.orchestration.naming import Names, names_of
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.presentation import CODE_VERSIONS, presentation
from iris_hpo.orchestration.records import failure_reasons, latest, latest_metadata
from iris_hpo.orchestration.states import STATES, CandidateStates, State, candidate_states
from iris_hpo.orchestration.storage import Storage
from iris_hpo.search.errors import InputError
from iris_hpo.search.leaderboard import Cell, leaderboard, to_csv
from iris_hpo.search.selection import Scored, Selection, select
from iris_hpo.search.space import ParameterSpace
from iris_hpo.search.spec import Rule, SearchSpec
from iris_hpo.store.artifacts import (
    SMALL,
    ArtifactError,
    ArtifactMismatchError,
    ArtifactStore,
    digest_of,
    read_verified,
)
from iris_hpo.store.cards import (
    ChampionCard,
    ModelCard,
    ScoreCard,
    SplitCard,
    fingerprint,
    model_card_name,
    model_name,
    read_card,
    read_recorded_card,
)
from iris_hpo.text import clean, listed

LEADERBOARD = "selection/leaderboard.csv"
HEATMAP = "selection/heatmap.png"
CHAMPION = "selection/champion.pkl"
CHAMPION_CARD = "selection/champion.json"
SELECTED_FOLDER = "selection/models"

_SELECTED = dg.AutomationCondition.newly_updated()
_SCORED = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.newly_updated())
_FAILED = dg.AutomationCondition.any_deps_match(
    dg.AutomationCondition.execution_failed().newly_true()
)
# What happens between the end of a selection and the next tick must not be lost. Of scores and
# selections Dagster compares the times, as long as they are not hidden behind an "or", as they are
# in ``since_last_handled()``. A failure has no time here: it wins.
SELECT_WHEN = (
    (_SCORED.since(_SELECTED) | _FAILED.since(_SELECTED) | _FAILED)
    & (~dg.AutomationCondition.execution_failed() | _SCORED | _FAILED)
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
)
"""Scores changed, or a candidate failed that the selection then names; none is in progress.
A selection that failed is not tried again before something has changed.
``eager()`` would wait for a failed candidate for ever."""

_FIRST_COLUMNS = {
    "rank": "equal scores share a rank",
    "candidate": "the candidate's partition",
    "champion": "the one of the selected that represents them",
    "selected": "one of the best",
    "score": "on the test rows",
    "cv_mean": "of the folds",
    "cv_std": "of the folds",
}
"""What a page that cuts a wide table should show of it, and what it is."""

_TABLE_ROWS = 20
_COUNTED = ("candidates", "scored")


@dataclass(frozen=True)
class Standing:
    """Who can be selected from, and who cannot.

    Attributes
    ----------
    usable
        Candidates with a recorded score of the current data and settings, and that score.
    model_versions, score_versions
        What is recorded: data versions.
    missing, out_of_date, failed
        The others, disjoint: never scored; scored on other data or settings; tried in vain.
    """

    usable: Mapping[str, ScoreCard]
    model_versions: Mapping[str, str]
    score_versions: Mapping[str, str]
    missing: Sequence[str]
    out_of_date: Sequence[str]
    failed: Sequence[str]

    def version(self, rule: Rule, space: ParameterSpace) -> str:
        """The data version of a selection from these.

        From 100 upstream partitions on, Dagster does not track that edge by itself.
        """
        simplest = [axis.simplest for axis in space.axes]
        # Where low is simple, the order of the space is that of an earlier version.
        decides = rule == "one_standard_error" and set(simplest) != {"low"}
        return fingerprint(
            **({"simplest": simplest} if decides else {}),
            rule=rule,
            scores=sorted((key, self.score_versions[key]) for key in self.usable),
            others=[sorted(self.missing), sorted(self.out_of_date), sorted(self.failed)],
        )


def build_selection(spec: SearchSpec) -> dg.AssetsDefinition:
    """Define `selection`."""
    names = names_of(spec)
    config_type = selection_config(spec)

    def selection(
        context: dg.AssetExecutionContext, config: SelectionConfig, iris_hpo_storage: Storage
    ) -> dg.MaterializeResult[Any]:
        from iris_hpo.search.figures import draw_selection

        with user_errors():
            check_claim(context.instance, spec, iris_hpo_storage)
            store = iris_hpo_storage.store(spec)
            upstream = read_upstream(context.instance, names, store)
            rule = config.checked(spec, upstream.split_card.folds)
            found = current_standing(context.instance, spec, store, upstream)
            scored = [
                Scored(spec.space.parse_key(key), card.evaluation)
                for key, card in found.usable.items()
            ]
            chosen = select(scored, spec.space, spec.scoring, rule)
            rows = leaderboard(chosen)
            table, figure = to_csv(rows), draw_selection(chosen)
            champion = write_selection(
                store, chosen, found.model_versions, upstream.split_card, table, figure
            )
        default = spec.default_rule(upstream.split_card.folds)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(found.version(rule, spec.space)),
            metadata={
                **_metadata(chosen, found, champion, rows, figure),
                "path": dg.MetadataValue.path(str(store.path("selection"))),
                **changed({"rule": rule}, {"rule": default}),
            },
        )

    selection.__annotations__["config"] = config_type
    return dg.asset(
        **presentation(spec, "selection"),
        deps=[names.asset("scores")],
        pool=names.pool,
        automation_condition=SELECT_WHEN,
    )(selection)


def current_standing(
    instance: dg.DagsterInstance, spec: SearchSpec, store: ArtifactStore, upstream: Upstream
) -> Standing:
    """Read who can be selected from.

    Raises
    ------
    InputError
        If nobody can, or if a score was changed since it was recorded.
    """
    names = names_of(spec)
    return _standing(
        instance,
        spec,
        candidate_states(
            instance,
            names,
            store,
            spec.space,
            registered_keys(instance, names),
            upstream.conditions(spec),
            verify_models=False,
        ),
    )


def _standing(instance: dg.DagsterInstance, spec: SearchSpec, found: CandidateStates) -> Standing:
    names, keys = names_of(spec), list(found.scores)
    if found.refused:
        raise ArtifactError("\n".join(found.refused.values()))
    if not found.score_cards:
        if keys and all(found.scores[key] == "failed" for key in keys):
            key = keys[0]
            reasons = failure_reasons(instance, found.tried_in_vain[key])
            raise InputError(
                f"none of the {len(keys)} candidates has a score: all failed; "
                f"{key}: {reasons.get(key, 'its run says why')}"
            )
        raise InputError(
            f"none of the {len(keys)} candidates has a score of the current data and settings; "
            f"materialise {names.asset('models').to_user_string()} and "
            f"{names.asset('scores').to_user_string()} first"
        )
    return Standing(
        found.score_cards,
        found.model_versions,
        found.score_versions,
        *([key for key in keys if found.scores[key] == state] for state in STATES[1:]),
    )


def selection_state(
    instance: dg.DagsterInstance,
    spec: SearchSpec,
    storage: Storage,
    rule: Rule,
    candidates: CandidateStates | None = None,
) -> State:
    """Whether the stored selection is of the present scores and this rule.

    Parameters
    ----------
    candidates
        The states of all candidates, if they were just read and all is up to date.
    """
    recorded = latest(instance, names_of(spec).asset("selection"))
    if recorded is None:
        return "missing"
    store = storage.store(spec)
    try:
        if candidates is None:
            upstream = read_upstream(instance, names_of(spec), store)
            found = current_standing(instance, spec, store, upstream)
        else:
            found = _standing(instance, spec, candidates)
        champion = read_champion(instance, spec, store)
        read_verified(store, CHAMPION, champion.digest)
        read_verified(store, LEADERBOARD, champion.leaderboard_digest)
        for key in leaderboard_keys(store, selected=True):
            card = read_card(store, model_card_name(key), ModelCard)
            read_verified(store, f"{SELECTED_FOLDER}/model_{key}.pkl", card.digest)
    except InputError:
        return "out of date"
    current = (
        recorded.version == found.version(rule, spec.space)
        and recorded.code_version == CODE_VERSIONS["selection"]
    )
    return "up to date" if current else "out of date"


def read_champion(
    instance: dg.DagsterInstance, spec: SearchSpec, store: ArtifactStore
) -> ChampionCard:
    """Read the card of the champion that the event log vouches for.

    Raises
    ------
    InputError
        If there is no selection, or the card was changed.
    """
    recorded = latest_metadata(instance, names_of(spec).asset("selection")).get("champion_version")
    if recorded is None:
        raise InputError("nothing was selected yet; run the search first")
    return read_recorded_card(store, CHAMPION_CARD, ChampionCard, str(recorded.value))


def part_note(instance: dg.DagsterInstance, names: Names) -> str:
    """From how many of the candidates was selected, and where the others were; empty if from all.

    As recorded with the selection; others may have been scored since.
    """
    said = latest_metadata(instance, names.asset("selection"))
    candidates, scored = (said[name].value if name in said else 0 for name in _COUNTED)
    if candidates == scored:
        return ""
    others = "; ".join(
        f"{name.replace('_', ' ')} {said[name].value}"
        for name in ("missing", "out_of_date", "failed")
        if name in said and said[name].value != listed(())
    )
    return f"selected from {scored} of {candidates} candidates ({others})"


def leaderboard_keys(store: ArtifactStore, *, selected: bool = False) -> list[str]:
    """Read who stands on the stored leaderboard, or only who was selected, best first.

    Raises
    ------
    ArtifactError
        If there is no leaderboard, or it is none.
    """
    content = store.read(LEADERBOARD, limit=SMALL)
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        return [row["candidate"] for row in rows if not selected or row["selected"] == "true"]
    except (UnicodeDecodeError, KeyError, csv.Error) as error:
        raise ArtifactMismatchError(
            f"{store.path(LEADERBOARD)} is not a leaderboard; run the search again"
        ) from error


def write_selection(
    store: ArtifactStore,
    selection: Selection,
    model_versions: Mapping[str, str],
    split: SplitCard,
    table: bytes,
    figure: bytes,
) -> ChampionCard:
    """Store the selected models, the champion, the leaderboard and the figure.

    Every model is checked against its recorded version before the first is written.
    """
    contents: dict[str, tuple[ModelCard, bytes]] = {}
    for scored in selection.selected:
        key = scored.candidate.key
        card = read_recorded_card(store, model_card_name(key), ModelCard, model_versions[key])
        contents[key] = card, read_verified(store, model_name(key), card.digest)

    champion = _champion_card(selection, split, contents, table)
    before = _selected_before(store)
    store.write_together(
        {
            LEADERBOARD: table,
            HEATMAP: figure,
            **{f"{SELECTED_FOLDER}/model_{key}.pkl": model for key, (_, model) in contents.items()},
            CHAMPION: contents[champion.key][1],
            CHAMPION_CARD: champion.to_bytes(),
        }
    )
    for name in store.list(SELECTED_FOLDER):
        key = name.removeprefix("model_").removesuffix(".pkl")
        if (
            name == f"model_{key}.pkl"
            and key not in contents
            and (key in before or _is_copy(store, key))
        ):
            store.delete(f"{SELECTED_FOLDER}/{name}")
    return champion


def _selected_before(store: ArtifactStore) -> set[str]:
    """Whose models the selection before has stored; empty if its files are not as it left them."""
    try:
        card = read_card(store, CHAMPION_CARD, ChampionCard)
        read_verified(store, LEADERBOARD, card.leaderboard_digest)
        return set(leaderboard_keys(store, selected=True))
    except ArtifactError:
        return set()


def _is_copy(store: ArtifactStore, key: str) -> bool:
    """Whether a selected model is a copy of the candidate's, so that nothing is lost with it."""
    try:
        card = read_card(store, model_card_name(key), ModelCard)
        read_verified(store, f"{SELECTED_FOLDER}/model_{key}.pkl", card.digest)
    except ArtifactError:
        return False
    return True


def _champion_card(
    selection: Selection,
    split: SplitCard,
    contents: Mapping[str, tuple[ModelCard, bytes]],
    table: bytes,
) -> ChampionCard:
    champion = selection.champion
    card, _ = contents[champion.candidate.key]
    return ChampionCard(
        key=card.key,
        parameters=card.parameters,
        digest=card.digest,
        model_version=card.version,
        rule=selection.rule,
        scoring=selection.scoring,
        score=champion.evaluation.score,
        # Recorded is the interval of the accuracy, whatever the scoring is.
        interval=list(champion.evaluation.interval)
        if champion.evaluation.interval and selection.scoring == "accuracy"
        else None,
        cv_mean=champion.cv_mean,
        tied=len(selection.selected),
        leaderboard_digest=digest_of(table),
        feature_names=split.feature_names,
        target_name=split.target_name,
        edges=[list(edge) for edge in selection.edges],
        versions=card.versions,
    )


def edge_warning(edges: Sequence[Sequence[str]]) -> str:
    """What it means that the champion lies on the edge of the grid; empty if it does not."""
    if not edges:
        return ""
    where = " and ".join(f"the {end} {axis}" for axis, end in edges)
    return f"the champion has {where} of all that were tried: better candidates may lie beyond"


def _metadata(
    selection: Selection,
    found: Standing,
    champion: ChampionCard,
    rows: Sequence[Mapping[str, Cell]],
    figure: bytes,
) -> dict[str, dg.MetadataValue | str | int | float]:
    picture = base64.b64encode(figure).decode()
    return {
        "champion": champion.key,
        "score": champion.score,
        "tied": champion.tied,
        "rule": champion.rule,
        **_estimates(champion),
        "heatmap": dg.MetadataValue.md(f"![scores](data:image/png;base64,{picture})"),
        "leaderboard": _table(rows[:_TABLE_ROWS]),
        "candidates": len(rows) + len(found.missing) + len(found.out_of_date) + len(found.failed),
        "scored": len(rows),
        "selected": _counted([one.candidate.key for one in selection.selected]),
        "missing": _counted(found.missing),
        "out_of_date": _counted(found.out_of_date),
        "failed": _counted(found.failed),
        "champion_version": champion.version,
    }


def _estimates(champion: ChampionCard) -> dict[str, dg.MetadataValue | str | int | float]:
    """How sure the champion's score is, and whether to look further."""
    found: dict[str, dg.MetadataValue | str | int | float] = {}
    if champion.interval:
        found |= {"interval_low": champion.interval[0], "interval_high": champion.interval[1]}
    if champion.cv_mean is not None:
        found["cv_mean"] = champion.cv_mean
    if champion.edges:
        found["edge_of_grid"] = dg.MetadataValue.text(edge_warning(champion.edges))
    return found


def _counted(keys: Sequence[str]) -> str:
    return f"{len(keys)}: {listed(keys)}" if keys else listed(keys)


def _table(rows: Sequence[Mapping[str, Cell]]) -> dg.TableMetadataValue:
    types: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "string"}

    def kind_of(name: str) -> str:
        found = {types[type(row[name])] for row in rows if row[name] is not None}
        return found.pop() if len(found) == 1 else "string"

    names = [*_FIRST_COLUMNS, *(name for name in rows[0] if name not in _FIRST_COLUMNS)]
    columns = [
        dg.TableColumn(name, kind_of(name), description=_FIRST_COLUMNS.get(name)) for name in names
    ]
    records = [dg.TableRecord({name: _cell(row[name]) for name in names}) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema(columns))


def _cell(value: Cell) -> str | int | float | bool:
    """A value as the page shows it: the exact one is in the file."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    return round(value, 4) if isinstance(value, float) else value
