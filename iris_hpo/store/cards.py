"""Cards: what stored files were made from, and whether a file is the recorded one.

Every model has a card beside it, which says what the model was made from and contains the model's
digest; the card's own version is recorded in Dagster's event log. So a chain of sha256 digests
leads from the event log to the bytes, and no file is unpickled before the chain is checked.

The cards of the split, of results and of the champion are in the folders of their stages.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from iris_hpo.store.digests import ArtifactMismatchError, digest_of
from iris_hpo.store.folder import SMALL, ArtifactStore

_UNDIGESTED: Final = ("seconds", "run_id")


def fingerprint(**parts: object) -> str:
    """sha256 over everything that decides a result.

    Two results with the same fingerprint are interchangeable.
    """
    return digest_of(_canonical(parts).encode())


@dataclass(frozen=True)
class Card:
    """Base class of cards: what a stored file was made from."""

    @property
    def version(self) -> str:
        """sha256 of all fields but ``seconds`` and ``run_id``: equal results, equal versions."""
        content = {name: value for name, value in self.content().items() if name not in _UNDIGESTED}
        return digest_of(_canonical(content).encode())

    def content(self) -> dict[str, object]:
        """Return the fields that are stored."""
        return vars(self)

    def to_bytes(self) -> bytes:
        """The card as indented JSON."""
        return (json.dumps(self.content(), indent=1, sort_keys=True) + "\n").encode()


AnyCard = TypeVar("AnyCard", bound=Card)


def read_card(store: ArtifactStore, name: str, kind: type[AnyCard]) -> AnyCard:
    """Read a card.

    Raises
    ------
    ArtifactError
        If the card is missing or not of this kind.
    """
    content = store.read(name, limit=SMALL)
    try:
        fields: Any = json.loads(content, parse_constant=_refuse_constant)
        card = kind(**fields)
        _check_undigested(fields)
    except (ValueError, TypeError, RecursionError) as error:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not a {kind.__name__} of this version; run the search again"
        ) from error
    return card


def read_recorded_card(
    store: ArtifactStore, name: str, kind: type[AnyCard], version: str
) -> AnyCard:
    """Read a card and compare it with its version in the event log.

    Raises
    ------
    ArtifactError
        If the card is missing, or has changed since its version was recorded.
    """
    card = read_card(store, name, kind)
    try:
        stored_version = card.version
    except RecursionError:  # JSON can be written to a lower depth than it can be read
        stored_version = "unknown"
    if stored_version != version:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not what was recorded (version {stored_version[:12]}, recorded "
            f"{version[:12]}): it was changed or replaced, or the run that recorded it was "
            "deleted; run the search again"
        )
    return card


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _check_undigested(fields: Mapping[str, object]) -> None:
    """Refuse wrong fields that no digest covers; all others change the card's version.

    Raises
    ------
    TypeError
        If a field is not of its type.
    """
    if not isinstance(fields.get("seconds", 0.0), (int, float)):
        raise TypeError("seconds is not a number")
    if not isinstance(fields.get("run_id", ""), str):
        raise TypeError("run_id is not a text")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of a card")
