"""The store: where a search's files are, how they are written, and how they are trusted.

A file appears whole or not at all. Beside every model stands its card, which says what it was made
of and carries the model's digest; the card's own version goes into Dagster's event log. So a chain
of sha256 leads from the event log to the bytes, and nothing is unpickled before it was followed.
"""

import hashlib
import json
import os
import pickle
import uuid
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any, Final, NoReturn, TypeVar, cast

from upath import UPath

from iris_hpo.search.errors import InputError
from iris_hpo.search.estimators import Estimator
from iris_hpo.search.evaluation import Evaluation
from iris_hpo.search.space import Value

_TEMPORARY: Final = ".temporary"


class ArtifactError(InputError):
    """A stored file is missing or is not what was recorded; the message names it."""


class ArtifactMismatchError(ArtifactError):
    """A stored file is there but is not what was recorded: changed, replaced, or half a crash."""


def digest_of(content: bytes) -> str:
    """sha256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def fingerprint(**parts: object) -> str:
    """sha256 over everything that decides about a result.

    Two results with one fingerprint are interchangeable.
    """
    return digest_of(_canonical(parts).encode())


class ArtifactStore:
    """Files of one search below one folder or object-store prefix.

    Parameters
    ----------
    root
        A local path or any fsspec URL.
    """

    def __init__(self, root: UPath) -> None:
        # `file://` paths cannot be moved; plain ones can, atomically.
        self.root = UPath(root.path) if root.protocol in ("file", "local") else root

    def path(self, name: str) -> UPath:
        """Where a file is; ``name`` is relative, with forward slashes."""
        return self.root / name

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.path(name).is_file()

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises
        ------
        ArtifactError
            If it is not there or cannot be read.
        """
        try:
            return self._checked(name).read_bytes()
        except FileNotFoundError as error:
            raise ArtifactError(f"{self.path(name)} is missing; run the search again") from error
        except OSError as error:
            raise ArtifactError(f"{self.path(name)} cannot be read: {error}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file so that a reader sees all of it or nothing."""
        target = self._checked(name)
        if not self._is_local:
            target.write_bytes(content)  # an object appears when its upload is complete
            return
        temporary = self.root / _TEMPORARY / f"{os.getpid()}-{uuid.uuid4().hex}"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def delete(self, name: str) -> None:
        """Remove a file if it is there."""
        self._checked(name).unlink(missing_ok=True)

    def list(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted."""
        place = self.path(folder)
        if not place.is_dir():
            return []
        return sorted(child.name for child in place.iterdir())

    def sweep(self) -> None:
        """Remove temporary files that writers left which were killed."""
        if not self._is_local:
            return
        for name in self.list(_TEMPORARY):
            owner = name.partition("-")[0]
            if not (owner.isdigit() and is_alive(int(owner))):
                (self.root / _TEMPORARY / name).unlink(missing_ok=True)

    @property
    def _is_local(self) -> bool:
        return self.root.protocol == ""

    def _checked(self, name: str) -> UPath:
        """Refuse a name, or a symbolic link, that leads out of the store."""
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts:
            raise ArtifactError(f"{name!r} is not a name within the store")
        path = self.path(name)
        if self._is_local:
            real_root = os.path.realpath(str(self.root))
            real = os.path.realpath(str(path))
            if not real.startswith(real_root + os.sep):
                raise ArtifactError(f"{path} leads out of the store, to {real}; remove the link")
        return path


@dataclass(frozen=True)
class Card:
    """What a stored file was made of."""

    @property
    def version(self) -> str:
        """sha256 of all fields but ``seconds`` and ``run_id``: equal results, equal versions."""
        content = {
            name: value for name, value in asdict(self).items() if name not in ("seconds", "run_id")
        }
        return digest_of(_canonical(content).encode())

    def to_bytes(self) -> bytes:
        """The card as indented JSON."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


@dataclass(frozen=True)
class SplitCard(Card):
    """What `split` made: settings, digests of both parts, and of the data they came from."""

    data_digest: str
    test_size: float
    seed: int
    folds: int
    stratify: bool
    train_rows: int
    test_rows: int
    train_digest: str
    test_digest: str
    feature_names: list[str]
    target_name: str


@dataclass(frozen=True)
class ParametersCard(Card):
    """What `parameters` declared: the axes and the estimator with its settings, not the values.

    A model depends on its own values, which are its key; so a value more makes no model stale.
    """

    axes: list[dict[str, Any]]
    recipe: dict[str, Any]
    choices: dict[str, str]
    scoring: str


@dataclass(frozen=True, kw_only=True)
class ResultCard(Card):
    """What every result of a candidate says of itself.

    Attributes
    ----------
    fingerprint
        Of everything that decided about it.
    seconds, run_id
        How long it took, and the Dagster run that made it.
    """

    key: str
    parameters: dict[str, Value]
    fingerprint: str
    convergence_warnings: int
    seconds: float
    run_id: str


@dataclass(frozen=True, kw_only=True)
class ModelCard(ResultCard):
    """What a model was made of, and the digest of its file."""

    digest: str
    bytes: int
    training_rows: int
    training_digest: str
    training_score: float
    support_vectors: int | None
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ScoreCard(ResultCard):
    """A candidate's evaluation, and the model and the rows it belongs to."""

    model_version: str
    split_version: str
    parameters_version: str
    scoring: str
    score: float
    metrics: dict[str, float]
    correct: int | None
    total: int | None
    interval: list[float] | None
    fold_scores: list[float]

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation, as selection uses it."""
        return Evaluation(
            self.score,
            self.metrics,
            self.correct,
            self.total,
            (self.interval[0], self.interval[1]) if self.interval else None,
            tuple(self.fold_scores),
            self.seconds,
            self.convergence_warnings,
        )


@dataclass(frozen=True)
class ChampionCard(Card):
    """Which model was chosen, and what it takes to predict with it."""

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


AnyCard = TypeVar("AnyCard", bound=Card)


def model_name(key: str) -> str:
    """The name of a candidate's model file in the store."""
    return f"models/model_{key}.pkl"


def model_card_name(key: str) -> str:
    """The name of a candidate's model card in the store."""
    return f"models/model_{key}.json"


def score_name(key: str) -> str:
    """The name of a candidate's score in the store."""
    return f"scores/{key}.json"


def read_card(store: ArtifactStore, name: str, kind: type[AnyCard]) -> AnyCard:
    """Read a card.

    Raises
    ------
    ArtifactError
        If it is missing or is not a card of this kind.
    """
    content = store.read(name)
    try:
        return kind(**json.loads(content, parse_constant=_refuse_constant))
    except (ValueError, TypeError) as error:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not a {kind.__name__} of this version; run the search again"
        ) from error


def read_recorded_card(
    store: ArtifactStore, name: str, kind: type[AnyCard], version: str
) -> AnyCard:
    """Read a card that the event log vouches for.

    Raises
    ------
    ArtifactError
        If it is missing, or has changed since its version was recorded.
    """
    card = read_card(store, name, kind)
    if card.version != version:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not what was recorded (version {card.version[:12]}, recorded "
            f"{version[:12]}): it was changed or replaced; run the search again"
        )
    return card


def read_verified(store: ArtifactStore, name: str, digest: str) -> bytes:
    """Read a file whose digest is known.

    Raises
    ------
    ArtifactError
        If it is missing or its bytes have another digest.
    """
    content = store.read(name)
    found = digest_of(content)
    if found != digest:
        raise ArtifactMismatchError(
            f"{store.path(name)} is not the file that was recorded (sha256 {found[:12]}, recorded "
            f"{digest[:12]}): it was changed or replaced; run the search again"
        )
    return content


def dump_model(estimator: Estimator) -> bytes:
    """Pickle a fitted estimator; `joblib.load` reads it too."""
    return pickle.dumps(estimator, protocol=pickle.HIGHEST_PROTOCOL)


def load_model(content: bytes) -> Estimator:
    """Unpickle a model whose bytes were verified; a pickle can run any code."""
    return cast("Estimator", pickle.loads(content))  # noqa: S301 - verified


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of a card")


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
