"""The standing of candidates before a selection, and whether the stored selection is of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from iris_hpo.errors import InputError
from iris_hpo.orchestration.names import CODE_VERSIONS, names_of
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.record import failure_reasons, latest
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.status import STATES, CandidateStates, State, candidate_states
from iris_hpo.orchestration.study import Upstream, read_champion, read_upstream
from iris_hpo.parts import Part
from iris_hpo.selection.champion import CHAMPION, SELECTED_FOLDER
from iris_hpo.selection.leaderboard import LEADERBOARD, leaderboard_keys
from iris_hpo.selection.rules import Rule
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.spec import DEFAULT_REPORTS, SearchSpec
from iris_hpo.store.cards import fingerprint, read_card
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.training.cards import ModelCard, ScoreCard, model_card_name


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
        The others, disjoint: never scored; scored on other data or settings; tried and failed.
    """

    usable: Mapping[str, ScoreCard]
    model_versions: Mapping[str, str]
    score_versions: Mapping[str, str]
    missing: Sequence[str]
    out_of_date: Sequence[str]
    failed: Sequence[str]

    def version(
        self, rule: Rule, space: ParameterSpace, reports: Sequence[Part] = DEFAULT_REPORTS
    ) -> str:
        """The data version of a selection from these.

        From 100 upstream partitions on, Dagster does not track that edge by itself.
        """
        simplest = [axis.simplest for axis in space.axes]
        # Where low is simple, the order of the space is that of an earlier version.
        decides = rule == "one_standard_error" and set(simplest) != {"low"}
        return fingerprint(
            **({"simplest": simplest} if decides else {}),
            **({"reports": [*map(vars, reports)]} if reports != DEFAULT_REPORTS else {}),
            rule=rule,
            scores=sorted((key, self.score_versions[key]) for key in self.usable),
            others=[sorted(self.missing), sorted(self.out_of_date), sorted(self.failed)],
        )


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
        recorded.version == found.version(rule, spec.space, spec.reports)
        and recorded.code_version == CODE_VERSIONS["selection"]
    )
    return "up to date" if current else "out of date"
