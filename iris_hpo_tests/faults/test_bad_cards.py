"""Any bytes that stand where a card should are refused, and never anything else happens."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from iris_hpo.data.split import SplitCard
from iris_hpo.errors import InputError
from iris_hpo.samplers.parameter_list import ParametersCard
from iris_hpo.selection.champion import ChampionCard
from iris_hpo.store.cards import read_card
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.training.cards import ModelCard, ScoreCard

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from([*SplitCard.__annotations__, *ScoreCard.__annotations__, "key", "digest"])


KINDS = (SplitCard, ParametersCard, ModelCard, ScoreCard, ChampionCard)


@given(
    content=st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(FIELDS, JSON).map(lambda value: json.dumps(value).encode())
    | st.integers(1_000, 200_000).map(lambda depth: b"[" * depth)
)
def test_any_bytes_are_a_card_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    root: Path = tmp_path_factory.getbasetemp() / "cards"
    store = ArtifactStore(UPath(root))
    store.write("card.json", content)
    for kind in KINDS:
        try:
            version_or_error = read_card(store, "card.json", kind).version
        except InputError as error:
            version_or_error = str(error)
        refusal = f"is not a {kind.__name__} of this version; run the search again"
        is_refused = version_or_error == f"{root / 'card.json'} {refusal}"
        assert is_refused or len(version_or_error) == 64
