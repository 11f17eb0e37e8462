"""Write the files of a selection, read the selected models, and verify what is stored."""

from collections.abc import Mapping

from iris_hpo.data.split import SplitCard
from iris_hpo.selection.champion import (
    CHAMPION,
    CHAMPION_CARD,
    SELECTED_FOLDER,
    ChampionCard,
    Made,
    champion_card,
)
from iris_hpo.selection.ensemble import ENSEMBLE
from iris_hpo.selection.leaderboard import LEADERBOARD, leaderboard_keys
from iris_hpo.selection.references import REFERENCES
from iris_hpo.selection.rules import Selection
from iris_hpo.store.cards import read_card, read_recorded_card
from iris_hpo.store.digests import ArtifactError, digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.training.cards import ModelCard, model_card_name, model_name


def selected_problems(store: ArtifactStore) -> list[str]:
    """Problems of the stored selected models and the champion; empty if there are none."""
    stored = [
        name
        for name in store.list(SELECTED_FOLDER)
        if name.startswith("model_") and name.endswith(".pkl")
    ]
    problems = [
        f"model_{key}.pkl is missing from the selected models"
        for key in leaderboard_keys(store, selected=True)
        if f"model_{key}.pkl" not in stored
    ]
    for name in stored:
        key = name.removeprefix("model_").removesuffix(".pkl")
        try:
            card = read_card(store, model_card_name(key), ModelCard)
            content = store.read(f"{SELECTED_FOLDER}/{name}")
        except ArtifactError as error:
            problems.append(str(error))
            continue
        if digest_of(content) != card.digest:
            problems.append(f"{name} is not the file that its card describes")
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
    store.write_together(
        {
            LEADERBOARD: made.table,
            **{f"selection/{name}": content for name, content in made.reports.items()},
            **{
                f"{SELECTED_FOLDER}/model_{key}.pkl": model
                for key, (_, model) in made.models.items()
            },
            **({} if made.ensemble is None else {ENSEMBLE: made.ensemble}),
            REFERENCES: made.references.to_bytes(),
            CHAMPION: made.refitted.content if made.refitted else made.scored[1],
            CHAMPION_CARD: champion.to_bytes(),
        }
    )
    for name in store.list(SELECTED_FOLDER):
        key = name.removeprefix("model_").removesuffix(".pkl")
        if (
            name == f"model_{key}.pkl"
            and key not in made.models
            and (key in before or _is_copy(store, key))
        ):
            store.delete(f"{SELECTED_FOLDER}/{name}")
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
        read_verified(store, f"{SELECTED_FOLDER}/model_{key}.pkl", card.digest)
    except ArtifactError:
        return False
    return True
