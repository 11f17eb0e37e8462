"""Read the results of the last selection, as they are stored and recorded."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from iris_hpo.errors import InputError
from iris_hpo.orchestration.failed_candidates import failed_partitions, reasons_of
from iris_hpo.orchestration.partitions import registered_keys
from iris_hpo.orchestration.proposal_notes import read_proposals
from iris_hpo.orchestration.record import data_versions, latest_storage_ids
from iris_hpo.orchestration.study import Study
from iris_hpo.samplers.listing import read_listing
from iris_hpo.selection.leaderboard import LEADERBOARD, proposal_of, read_csv, typed
from iris_hpo.selection.results import Results
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.store.cards import AnyCard
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import read_verified
from iris_hpo.training.cards import ModelCard, ScoreCard, model_card_name, score_name


def read_results(study: Study) -> Results:
    """Read the last selection.

    Raises
    ------
    InputError
        If there is no selection, or its files were changed.
    """
    champion = study.champion()
    content = read_verified(study.store, LEADERBOARD, champion.leaderboard_digest)
    rows = [typed(row, study.spec.space) for row in read_csv(content)]
    keys = [str(row["candidate"]) for row in rows]
    instance, names = study.instance, study.names
    models_key, scores_key = names.asset("models"), names.asset("scores")
    models = _cards(study, ModelCard, data_versions(instance, models_key), keys)
    scores = _cards(study, ScoreCard, data_versions(instance, scores_key), keys)
    recorded = latest_storage_ids(instance, scores_key)
    order = sorted((key for key in keys if key in recorded), key=lambda key: recorded[key])
    return Results(
        study.spec.name or "search",
        study.spec.task,
        _looked_in(study),
        champion,
        rows,
        models,
        scores,
        order,
        _failures(study, set(keys)),
        {key: proposal.facts for key, proposal in read_proposals(study).items()}
        | {str(row["candidate"]): facts for row in rows if (facts := proposal_of(row))},
        partial(read_verified, study.store),
    )


def _looked_in(study: Study) -> ParameterSpace:
    """The space with where its sampler looks; that of the description, if files cannot be read."""
    space = study.spec.space
    try:
        return read_listing(study.parameters_folder, space).looked_in(space)
    except InputError:
        return space


def _cards(
    study: Study, kind: type[AnyCard], versions: Mapping[str, str], keys: Sequence[str]
) -> dict[str, AnyCard]:
    """Read the recorded cards of candidates; a card that is gone is left out."""
    name_of = model_card_name if issubclass(kind, ModelCard) else score_name

    def read(key: str) -> AnyCard | None:
        try:
            return study.card(name_of(key), kind, versions[key])
        except (ArtifactError, KeyError):
            return None

    with ThreadPoolExecutor(study.store.readers) as pool:
        cards = map(read, keys) if study.store.readers == 1 else pool.map(read, keys)
        return {key: card for key, card in zip(keys, cards, strict=True) if card is not None}


def _failures(study: Study, shown: set[str]) -> dict[str, str]:
    instance = study.instance
    runs: dict[str, str] = {}
    for asset in ("models", "scores"):
        runs.update(failed_partitions(instance, study.names.asset(asset)))
    return reasons_of(
        study,
        {key: runs[key] for key in registered_keys(study) if key in runs and key not in shown},
    )
