"""The selected models in the store, each with the files that its call left beside it."""

from collections.abc import Container, Iterable
from typing import Final

from iris_hpo.store.cards import read_recorded_card
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.training.called import FILES, LOG
from iris_hpo.training.cards import ModelCard, model_card_name

SELECTED_FOLDER: Final = "selection/models"

_SUFFIXES: Final = ("pkl", FILES, LOG)


def selected_name(key: str, suffix: str = "pkl") -> str:
    """Name of a selected model in the store, or of a file beside it."""
    return f"{SELECTED_FOLDER}/model_{key}.{suffix}"


def digests_of_selected(card: ModelCard) -> dict[str, str]:
    """Digests of a selected model and of the files beside it, by name."""
    beside = {
        selected_name(card.key, suffix): digest for suffix, digest in (card.beside or {}).items()
    }
    return {selected_name(card.key): card.digest, **beside}


def read_beside(store: ArtifactStore, cards: Iterable[ModelCard]) -> dict[str, bytes]:
    """Read the files beside models; give them by the names that they have among the selected.

    Raises
    ------
    ArtifactError
        If one is missing or is not the one that was recorded.
    """
    return {
        selected_name(card.key, name.rpartition(".")[2]): read_verified(store, name, digest)
        for card in cards
        for name, digest in card.files_beside.items()
    }


def read_files(store: ArtifactStore, key: str, version: str) -> bytes | None:
    """Read the archive of the files that the call of a selected candidate left.

    Parameters
    ----------
    version
        Version of the card of the candidate's model.

    Returns
    -------
    bytes or None
        None if the call left no files.

    Raises
    ------
    ArtifactError
        If it is missing or is not the one that was recorded.
    """
    card = read_recorded_card(store, model_card_name(key), ModelCard, version)
    digest = (card.beside or {}).get(FILES)
    return read_verified(store, selected_name(key, FILES), digest) if digest else None


def problems_beside(store: ArtifactStore, card: ModelCard) -> list[str]:
    """Problems of the files beside a selected model; empty if there are none."""
    problems: list[str] = []
    for name, digest in digests_of_selected(card).items():
        if name != selected_name(card.key):
            try:
                read_verified(store, name, digest)
            except ArtifactError as error:
                problems.append(str(error))
    return problems


def keys_of_models(names: Iterable[str]) -> list[str]:
    """Keys of the models among names of files."""
    return [
        name.removeprefix("model_").removesuffix(".pkl")
        for name in names
        if name.startswith("model_") and name.endswith(".pkl")
    ]


def delete_selected(store: ArtifactStore, keys: Iterable[str], kept: Container[str]) -> None:
    """Delete the selected models of some candidates, and what is beside them.

    Parameters
    ----------
    kept
        Names in the store that stay.
    """
    stored = set(store.list(SELECTED_FOLDER))
    for key in keys:
        for suffix in _SUFFIXES:
            name = selected_name(key, suffix)
            if name not in kept and name.rpartition("/")[2] in stored:
                store.delete(name)
