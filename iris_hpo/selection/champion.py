"""The stored files of a selection: the selected models, the champion and its card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iris_hpo.data.split import SplitCard
from iris_hpo.selection.leaderboard import LEADERBOARD, leaderboard_keys
from iris_hpo.selection.rules import Selection
from iris_hpo.space.values import Value
from iris_hpo.store.cards import Card, read_card, read_recorded_card
from iris_hpo.store.digests import ArtifactError, digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.training.cards import ModelCard, model_card_name, model_name

CHAMPION = "selection/champion.pkl"
CHAMPION_CARD = "selection/champion.json"
SELECTED_FOLDER = "selection/models"


@dataclass(frozen=True)
class ChampionCard(Card):
    """The card of the champion: which model was chosen, and what predictions with it need."""

    key: str
    parameters: dict[str, Value]
    digest: str
    model_version: str
    rule: str
    scoring: str
    score: float
    interval: list[float] | None
    cv_mean: float | None
    tied: int
    leaderboard_digest: str
    edges: list[list[str]]
    feature_names: list[str]
    target_name: str
    versions: dict[str, str]


def selected_problems(store: ArtifactStore) -> list[str]:
    """Problems of the stored selected models; empty if there are none."""
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
    return problems


def write_selection(
    store: ArtifactStore,
    selection: Selection,
    model_versions: Mapping[str, str],
    split: SplitCard,
    table: bytes,
    reports: Mapping[str, bytes],
) -> ChampionCard:
    """Store the selected models, the champion, the leaderboard and the reports.

    All models are checked against their recorded versions before the first is written.
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
            **{f"selection/{name}": content for name, content in reports.items()},
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
    """Keys of the previous selection's models; empty if its files are missing or were changed."""
    try:
        card = read_card(store, CHAMPION_CARD, ChampionCard)
        return {*leaderboard_keys(store, digest=card.leaderboard_digest, selected=True)}
    except ArtifactError:
        return set()


def _is_copy(store: ArtifactStore, key: str) -> bool:
    """Whether a selected model is a copy of the candidate's, so that deleting it loses nothing."""
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
        # An evaluation has the interval of the accuracy, whatever the scoring is.
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
    """Warning that the champion is on the edge of the grid; empty if it is not."""
    if not edges:
        return ""
    where = " and ".join(f"the {end} {axis}" for axis, end in edges)
    return f"the champion has {where} of all that were tried: better candidates may lie beyond"
