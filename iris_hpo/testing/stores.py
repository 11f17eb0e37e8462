"""What every store promises, in a folder or on object storage."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import pytest

from iris_hpo.store.cards import Card, read_card, read_recorded_card
from iris_hpo.store.digests import ArtifactError, ArtifactMismatchError, digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified

OUTSIDE: Final = ("", ".", "..", "../x", "a/../../x", "a/..", "a/../b", "/outside/x", "//x")
"""Names that lead out of a store; a broken store can harm no file by them."""


@dataclass(frozen=True)
class SampleCard(Card):
    """A card with what cards hold."""

    key: str
    parameters: dict[str, float | str | None]
    seconds: float
    interval: list[float] | None


CARD: Final = SampleCard(
    "D0.5_Sé", {"depth": 0.5, "share": 1 / 3, "none": None}, 0.1 + 0.2, [0.83, 1.0]
)


class StoreContract(ABC):
    """What every store promises.

    Attributes
    ----------
    rewrites, rewritten_bytes
        How often a file is replaced while it is read, and its size.
    """

    rewrites: int = 20
    rewritten_bytes: int = 100_000

    @abstractmethod
    def make_store(self) -> ArtifactStore:
        """Make an empty store."""

    def test_what_is_written_is_read_and_listed_until_it_is_deleted(self) -> None:
        """A second write replaces the first; deleting what is not there is nothing."""
        store = self.make_store()
        assert not store.exists("models/b.pkl")
        assert store.list("models") == []

        store.write("models/b.pkl", b"first")
        store.write("models/b.pkl", b"second\0\xff")
        store.write("models/a.json", b"")

        assert store.exists("models/b.pkl")
        assert store.read("models/b.pkl") == b"second\0\xff"
        assert store.read("models/a.json") == b""
        assert store.list("models") == ["a.json", "b.pkl"]

        store.delete("models/b.pkl")
        store.delete("models/b.pkl")

        assert not store.exists("models/b.pkl")
        assert store.list("models") == ["a.json"]

    def test_files_written_together_are_all_there(self) -> None:
        """In different folders, too."""
        store = self.make_store()

        store.write_together({"models/a.pkl": b"model", "scores/a.json": b"score"})

        assert store.read("models/a.pkl") == b"model"
        assert store.read("scores/a.json") == b"score"
        assert store.list("models") == ["a.pkl"]
        assert store.list("scores") == ["a.json"]

    def test_a_folder_is_no_file(self) -> None:
        """A folder does not exist as a file."""
        store = self.make_store()
        store.write("models/a.json", b"")

        assert not store.exists("models")

    def test_a_missing_file_is_named(self) -> None:
        """The error gives the file's place and what to do."""
        store = self.make_store()

        with pytest.raises(ArtifactError) as refusal:
            store.read("models/none.pkl")

        assert str(refusal.value) == (
            f"{store.root / 'models/none.pkl'} is missing; run the search again"
        )
        assert not isinstance(refusal.value, ArtifactMismatchError)

    @pytest.mark.parametrize("name", OUTSIDE)
    @pytest.mark.parametrize("use", ["read", "delete", "write"])
    def test_a_name_that_leads_out_of_the_store_is_refused(self, use: str, name: str) -> None:
        """Whatever is to be done with it."""
        store = self.make_store()
        uses: dict[str, Callable[[], object]] = {
            "read": lambda: store.read(name),
            "delete": lambda: store.delete(name),
            "write": lambda: store.write(name, b"x"),
        }

        with pytest.raises(ArtifactError) as refusal:
            uses[use]()

        assert str(refusal.value) == f"{name!r} is not a name within the store"

    def test_a_reader_sees_all_of_a_file_or_nothing(self) -> None:
        """Also while the file is replaced."""
        store = self.make_store()
        contents = [bytes([number]) * self.rewritten_bytes for number in (1, 2)]
        seen: set[str] = set()
        done = threading.Event()
        store.write("model.pkl", contents[0])

        def read() -> None:
            while not done.is_set():
                try:
                    seen.add(digest_of(store.read("model.pkl")))
                except ArtifactError as error:
                    seen.add(str(error))

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(self.rewrites):
            store.write("model.pkl", contents[number % 2])
        done.set()
        reader.join()

        assert seen <= set(map(digest_of, contents))
        assert seen

    def test_a_sweep_of_an_empty_store_does_nothing(self) -> None:
        """A store need not be there to be swept, and is not made by that."""
        store = self.make_store()

        store.sweep()

        assert store.list(".temporary") == []

    def test_a_card_is_read_back_exactly(self) -> None:
        """With every digit of its numbers, by name or by its recorded version."""
        store = self.make_store()
        store.write("card.json", CARD.to_bytes())

        card = read_card(store, "card.json", SampleCard)

        assert card == CARD
        assert card.to_bytes() == CARD.to_bytes()
        assert read_recorded_card(store, "card.json", SampleCard, CARD.version) == CARD

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff",
            b'{"key": "C0.5_G0.25"}',
            b'{"rule": "cv", "total": 30}',
            CARD.to_bytes()[:-3],
            CARD.to_bytes().replace(b"0.83", b"NaN"),
            CARD.to_bytes().replace(b'"key"', b'"name"'),
        ],
    )
    def test_what_is_no_card_is_a_mismatch(self, content: bytes) -> None:
        """The error names the file and the kind of card."""
        store = self.make_store()
        store.write("card.json", content)

        with pytest.raises(ArtifactMismatchError) as refusal:
            read_card(store, "card.json", SampleCard)

        assert str(refusal.value) == (
            f"{store.root / 'card.json'} is not a SampleCard of this version; run the search again"
        )

    def test_a_card_that_is_not_the_recorded_one_is_a_mismatch(self) -> None:
        """The error gives both versions."""
        store = self.make_store()
        changed = replace(CARD, key="other")
        store.write("card.json", changed.to_bytes())

        with pytest.raises(ArtifactMismatchError) as refusal:
            read_recorded_card(store, "card.json", SampleCard, CARD.version)

        assert str(refusal.value) == (
            f"{store.root / 'card.json'} is not what was recorded (version {changed.version[:12]}, "
            f"recorded {CARD.version[:12]}): it was changed or replaced, or the run that recorded "
            "it was deleted; run the search again"
        )

    def test_a_file_is_read_if_it_has_its_digest(self) -> None:
        """Then it is the recorded one."""
        store = self.make_store()
        store.write("model.pkl", b"model")

        assert read_verified(store, "model.pkl", digest_of(b"model")) == b"model"

    def test_a_file_with_another_digest_is_a_mismatch(self) -> None:
        """The error gives both digests."""
        store = self.make_store()
        store.write("model.pkl", b"other")

        with pytest.raises(ArtifactMismatchError) as refusal:
            read_verified(store, "model.pkl", digest_of(b"model"))

        assert str(refusal.value) == (
            f"{store.root / 'model.pkl'} is not the file that was recorded "
            f"(sha256 {digest_of(b'other')[:12]}, recorded {digest_of(b'model')[:12]}): "
            "it was changed or replaced; run the search again"
        )

    @pytest.mark.parametrize("read", ["card", "recorded card", "verified"])
    def test_what_is_missing_is_no_mismatch(self, read: str) -> None:
        """A missing file and a changed one are different errors."""
        store = self.make_store()
        reads: dict[str, Callable[[], object]] = {
            "card": lambda: read_card(store, "none", SampleCard),
            "recorded card": lambda: read_recorded_card(store, "none", SampleCard, "v"),
            "verified": lambda: read_verified(store, "none", "d"),
        }

        with pytest.raises(
            ArtifactError, match=r"/none is missing; run the search again\Z"
        ) as refusal:
            reads[read]()

        assert not isinstance(refusal.value, ArtifactMismatchError)
