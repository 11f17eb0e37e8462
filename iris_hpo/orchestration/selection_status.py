"""The status of the selection: whether one can be made, its version, and its state."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.known_rules import RULES
from iris_hpo.orchestration.failed_candidates import reasons_of
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.proposals import usable_keys
from iris_hpo.orchestration.selection_metadata import report_digests
from iris_hpo.orchestration.status import State, Status, read_status
from iris_hpo.orchestration.study import Study
from iris_hpo.orchestration.upstream import Upstream
from iris_hpo.parts import Part
from iris_hpo.reports import DEFAULT_REPORTS
from iris_hpo.run_settings import ALL, SelectionSettings
from iris_hpo.selection.champion import CHAMPION, MINIMIZE
from iris_hpo.selection.ensemble import ENSEMBLE
from iris_hpo.selection.leaderboard import leaderboard_keys
from iris_hpo.selection.references import REFERENCES
from iris_hpo.selection.selected_files import digests_of_selected
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.spec import SearchSpec
from iris_hpo.store.cards import fingerprint
from iris_hpo.store.digests import ArtifactError, StoreReadError
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.training.cards import ModelCard, model_card_name

CHOSEN_BY: Final = "iris_hpo/chosen_by"
"""Tag of a selection: the `choosing_fingerprint` that it was made under, as far as tags reach."""

TAG_LENGTH: Final = 63
"""Most characters of a tag's value."""


def read_selectable(study: Study, upstream: Upstream) -> Status:
    """Read the status of the registered candidates, at least one of which can be selected.

    Raises
    ------
    InputError
        If none can be selected, or if a score was changed since it was recorded.
    """
    conditions = study.conditions(upstream.split_card, upstream.parameters_card)
    status = read_status(study, usable_keys(study), conditions, verify_models=False)
    _check_selectable(study, status)
    return status


def _check_selectable(study: Study, status: Status) -> None:
    if status.refused:
        raise ArtifactError("\n".join(status.refused.values()))
    if status.score_cards:
        return
    keys = list(status.scores)
    if not keys:
        job = study.names.plain("search")
        raise InputError(
            f"no candidate is registered that can be chosen; launch the job {job} first"
        )
    problem = (
        "the only candidate has no score"
        if len(keys) == 1
        else f"none of the {len(keys)} candidates has a score"
    )
    if keys and status.keys("failed") == keys:
        reason = reasons_of(study, {keys[0]: status.failed_runs[keys[0]]})[keys[0]]
        raise InputError(
            f"{problem}: {'it' if len(keys) == 1 else 'all'} failed; {keys[0]}: {reason}"
        )
    models, scores = (study.names.asset(name).to_user_string() for name in ("models", "scores"))
    raise InputError(
        f"{problem} of the present data, settings and code, which may have been edited during a "
        f"run: run the search again, or materialise {models} and {scores} first"
    )


def selection_version(
    status: Status,
    settings: SelectionSettings,
    space: ParameterSpace,
    reports: Sequence[Part] = DEFAULT_REPORTS,
    repeats: int | None = None,
    *,
    minimizes: bool = False,
) -> str:
    """The data version of a selection.

    From 100 upstream partitions on, Dagster does not track the edge from `scores`.

    Parameters
    ----------
    repeats
        How often the folds are drawn; None for once.
    minimizes
        Whether the least score is the best.
    """
    return fingerprint(
        **choosing_identity(settings, space, reports, repeats, minimizes=minimizes),
        scores=sorted((key, status.score_versions[key]) for key in status.score_cards),
        others=[sorted(status.keys(state)) for state in ("missing", "out of date", "failed")],
    )


def choosing_identity(
    settings: SelectionSettings,
    space: ParameterSpace,
    reports: Sequence[Part] = DEFAULT_REPORTS,
    repeats: int | None = None,
    *,
    minimizes: bool = False,
) -> dict[str, object]:
    """What decides a selection beside the candidates, their scores and the code.

    The parameters are those of `selection_version`. A change in how a rule chooses needs a field
    here, or another code version of `selection`: `status` and the sensors then see it.
    """
    simplest = [axis.simplest for axis in space.axes]
    # Selections of earlier versions are the same if low is simple on all axes, and without a refit.
    decides = RULES[settings.rule].takes_simplest and set(simplest) != {"low"}
    return {
        **({"simplest": simplest} if decides else {}),
        **({"reports": [*map(vars, reports)]} if reports != DEFAULT_REPORTS else {}),
        **({"refit": ALL} if settings.refits else {}),
        **({"within": settings.share} if RULES[settings.rule].margin == "share" else {}),
        **({"metric": settings.metric} if settings.metric else {}),
        **({"ensemble": True} if settings.ensemble else {}),
        **({"direction": MINIMIZE} if minimizes else {}),
        # Earlier versions counted the folds of all repeats.
        **({"repeats": repeats} if RULES[settings.rule].needs_error and repeats else {}),
        "rule": settings.rule,
    }


def choosing_fingerprint(
    spec: SearchSpec, settings: SelectionSettings, repeats: int | None = None
) -> str:
    """Digest of how a search chooses, by its description, these settings and the code.

    Parameters
    ----------
    repeats
        How often the folds are drawn; None for once.
    """
    identity = choosing_identity(
        settings, spec.space, spec.reports, repeats, minimizes=_minimizes(spec)
    )
    return fingerprint(**identity, code=CODE_VERSIONS["selection"])


def _minimizes(spec: SearchSpec) -> bool:
    return bool(spec.called and spec.called.minimizes)


def selection_state(
    study: Study,
    settings: SelectionSettings,
    status: Status | None = None,
    *,
    verify_files: bool = True,
) -> State:
    """State of the stored selection, for the present scores and the settings of a run.

    Parameters
    ----------
    status
        Status of all candidates, if it was just read and all are up to date.
    verify_files
        Whether the files of the selection are read too.

    Raises
    ------
    StoreReadError
        If what is stored cannot be read now.
    """
    recorded = study.recorded("selection")
    if recorded is None:
        return "missing"
    try:
        if status is None:
            status = read_selectable(study, study.upstream())
        else:
            _check_selectable(study, status)
        if verify_files:
            check_files(study.store, list(_stored_files(study, status)))
    except StoreReadError:
        raise
    except (InputError, KeyError):  # a selected candidate may be gone
        return "out of date"
    spec, repeats = study.spec, study.upstream().split_card.repeats
    version = selection_version(
        status,
        settings,
        spec.space,
        spec.reports,
        repeats,
        minimizes=_minimizes(spec),
    )
    is_current = recorded.version == version and recorded.code_version == CODE_VERSIONS["selection"]
    return "up to date" if is_current and recorded.is_latest else "out of date"


def check_files(store: ArtifactStore, files: Sequence[tuple[str, str]]) -> None:
    """Compare stored files with their digests, as many at once as the store reads at once.

    Raises
    ------
    ArtifactError
        If one is missing or has another digest.
    """

    def check(file: tuple[str, str]) -> None:
        read_verified(store, *file)

    with ThreadPoolExecutor(store.readers) as pool:
        for _ in map(check, files) if store.readers == 1 else pool.map(check, files):
            pass


def _stored_files(study: Study, status: Status) -> Iterator[tuple[str, str]]:
    """Yield the files of the recorded selection, each with its sha256."""
    champion = study.champion()
    yield CHAMPION, champion.digest
    if champion.references_digest is not None:
        yield REFERENCES, champion.references_digest
    if champion.ensemble is not None:
        yield ENSEMBLE, champion.ensemble["digest"]
    for key in leaderboard_keys(study.store, digest=champion.leaderboard_digest, selected=True):
        card = study.card(model_card_name(key), ModelCard, status.model_versions[key])
        yield from digests_of_selected(card).items()
    for name, digest in report_digests(study).items():
        yield f"selection/{name}", digest
