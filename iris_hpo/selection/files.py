"""Write the files of a selection, read the selected models, and verify what is stored."""

from collections.abc import Mapping

from iris_hpo.data.split import SplitCard
from iris_hpo.selection.champion import (
    CHAMPION,
    CHAMPION_CARD,
    ChampionCard,
    Made,
    champion_card,
)
from iris_hpo.selection.ensemble import ENSEMBLE
from iris_hpo.selection.leaderboard import LEADERBOARD, leaderboard_keys
from iris_hpo.selection.references import REFERENCES
from iris_hpo.selection.rules import Selection
from iris_hpo.selection.selected_files import (
    SELECTED_FOLDER,
    delete_selected,
    keys_of_models,
    problems_beside,
    read_beside,
    selected_name,
)
from iris_hpo.store.cards import read_card, read_recorded_card
from iris_hpo.store.digests import ArtifactError, digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.training.cards import ModelCard, model_card_name, model_name


def selected_problems(store: ArtifactStore) -> list[str]:
    """Problems of the stored selected models and the champion; empty if there are none."""
    stored = keys_of_models(store.list(SELECTED_FOLDER))
    problems = [
        f"model_{key}.pkl is missing from the selected models"
        for key in leaderboard_keys(store, selected=True)
        if key not in stored
    ]
    for key in stored:
        try:
            card = read_card(store, model_card_name(key), ModelCard)
            content = store.read(selected_name(key))
        except ArtifactError as error:
            problems.append(str(error))
            continue
        if digest_of(content) != card.digest:
            problems.append(f"model_{key}.pkl is not the file that its card describes")
        problems += problems_beside(store, card)
    return problems + _champion_problems(store)


def _champion_problems(store: ArtifactStore) -> list[str]:
    try:
        card = read_card(store, CHAMPION_CARD, ChampionCard)
        content = store.read(CHAMPION)
        ensemble = store.read(ENSEMBLE) if card.ensemble else None
    except ArtifactError as error:
        return [str(error)]
    problems: list[str] = []
    if digest_of(content) != card.digest:
        problems.append("champion.pkl is not the file that its card describes")
    if ensemble is not None and card.ensemble and digest_of(ensemble) != card.ensemble["digest"]:
        problems.append("ensemble.pkl is not the file that the champion's card describes")
    return problems


def read_selected(
    store: ArtifactStore, selection: Selection, model_versions: Mapping[str, str]
) -> dict[str, tuple[ModelCard, bytes]]:
    """Read the selected models, each with its card, and check them.

    Raises
    ------
    ArtifactError
        If one is missing or is not the one that was recorded.
    """
    models: dict[str, tuple[ModelCard, bytes]] = {}
    for scored in selection.selected:
        key = scored.candidate.key
        card = read_recorded_card(store, model_card_name(key), ModelCard, model_versions[key])
        models[key] = card, read_verified(store, model_name(key), card.digest)
    return models


def write_selection(store: ArtifactStore, made: Made, split: SplitCard) -> ChampionCard:
    """Store the selected models, the champion, the leaderboard, the references and the reports."""
    champion = champion_card(made, split)
    before, had_ensemble = _before(store)
    beside = read_beside(store, [card for card, _ in made.models.values()])
    store.write_together(
        {
            LEADERBOARD: made.table,
            **{f"selection/{name}": content for name, content in made.reports.items()},
            **beside,
            **{selected_name(key): model for key, (_, model) in made.models.items()},
            **({} if made.ensemble is None else {ENSEMBLE: made.ensemble}),
            REFERENCES: made.references.to_bytes(),
            CHAMPION: made.refitted.content if made.refitted else made.scored[1],
            CHAMPION_CARD: champion.to_bytes(),
        }
    )
    kept = {*beside, *map(selected_name, made.models)}
    left_over = [
        key
        for key in keys_of_models(store.list(SELECTED_FOLDER))
        if key in before or (key not in made.models and _is_copy(store, key))
    ]
    delete_selected(store, left_over, kept)
    if had_ensemble and made.ensemble is None:
        store.delete(ENSEMBLE)
    return champion


def _before(store: ArtifactStore) -> tuple[set[str], bool]:
    """Keys of the previous selection's models, and whether its own ensemble is stored.

    There are none if its files are missing or were changed.
    """
    try:
        card = read_card(store, CHAMPION_CARD, ChampionCard)
        keys = {*leaderboard_keys(store, digest=card.leaderboard_digest, selected=True)}
    except ArtifactError:
        return set(), False
    try:
        if card.ensemble:
            read_verified(store, ENSEMBLE, card.ensemble["digest"])
    except ArtifactError:
        return keys, False
    return keys, card.ensemble is not None


def _is_copy(store: ArtifactStore, key: str) -> bool:
    """Whether a selected model is a copy of the candidate's, so that deleting it loses nothing."""
    try:
        card = read_card(store, model_card_name(key), ModelCard)
        read_verified(store, selected_name(key), card.digest)
    except ArtifactError:
        return False
    return True
