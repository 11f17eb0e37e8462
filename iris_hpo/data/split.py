"""The stored split: CSV with the row's number, the features and the target, and its card."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from iris_hpo.data.chosen_rows import ChosenRows, choose_rows, folds_to_csv, read_folds
from iris_hpo.data.dataset import Dataset, Target, Task, class_counts
from iris_hpo.data.examples import Examples
from iris_hpo.data.named_splitters import BUILT_IN, SHUFFLED
from iris_hpo.data.part_files import (
    read_part,
    read_part_roles,
    read_target,
    roles_kept,
    write_part,
)
from iris_hpo.data.roles import RowRoles
from iris_hpo.data.shuffled import LazyFolds, notes_on_folds
from iris_hpo.data.splitters import Division, Fold, Rows, SplitSettings
from iris_hpo.store.cards import Card, fingerprint, read_card
from iris_hpo.store.digests import ArtifactError, digest_of
from iris_hpo.store.folder import ArtifactStore, read_verified
from iris_hpo.text import counted, legible


@dataclass(frozen=True)
class SplitCard(Card):
    """How a split was made, and the digests of its files.

    Fields that are None are not stored. ``test_size``, ``stratify`` and ``repeats`` are None where
    the splitter does not follow them.

    Attributes
    ----------
    folds, repeats
        Number of folds that are drawn at a time, and how often they are drawn; None for once.
    splitter
        Identity of the splitter; None for ``shuffled``.
    folds_digest
        Digest of the file with the folds, if there are any.
    left_out
        Number of rows of the data set in neither part.
    kinds
        Kinds of the features, if not all are complete numbers.
    roles
        Roles of the columns behind the target in the files, if there are any.
    """

    data_digest: str
    seed: int
    folds: int
    train_rows: int
    test_rows: int
    train_digest: str
    test_digest: str
    feature_names: list[str]
    target_name: str
    test_size: float | None = None
    stratify: bool | None = None
    repeats: int | None = None
    splitter: dict[str, object] | None = None
    folds_digest: str | None = None
    left_out: int | None = None
    kinds: list[str] | None = None
    roles: list[str] | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the features, then that of the target; empty without a table."""
        return [*self.feature_names, self.target_name] if self.train_rows else []

    @property
    def digests(self) -> dict[str, str]:
        """Digest of each file beside the card, by name."""
        digests = {TRAIN: self.train_digest, TEST: self.test_digest} if self.train_rows else {}
        return digests | ({FOLDS: self.folds_digest} if self.folds_digest else {})

    def content(self) -> dict[str, object]:
        """Return the fields that are stored."""
        return {name: value for name, value in super().content().items() if value is not None}

    @property
    def splitter_name(self) -> str:
        """Short name or import path of the splitter."""
        return SHUFFLED.use if self.splitter is None else str(self.splitter.get("use", ""))

    @property
    def is_ordered(self) -> bool:
        """Whether the test rows are later than the training rows."""
        return self.splitter_name == "time"

    @property
    def causes(self) -> dict[str, object]:
        """The fields that decide all others: the data, and how it is divided."""
        return {name: getattr(self, name) for name in ("data_digest", *_DECIDING)}

    def is_made_by(self, division: Division) -> bool:
        """Whether the same data, divided like this, makes the same split."""
        stored = self.content()
        identity = division.identity(self.train_rows * len(self.feature_names))
        return fingerprint(**{name: stored.get(name) for name in _DECIDING}) == fingerprint(
            **{name: identity.get(name) for name in _DECIDING}
        )


CARD: Final = "split/split.json"
TRAIN: Final = "split/train.csv"
TEST: Final = "split/test.csv"
FOLDS: Final = "split/folds.csv"

_DECIDING: Final = ("test_size", "seed", "folds", "stratify", "repeats", "splitter")
"""The fields with the identity of a division."""

_WHOLE: Final = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)


def divide(
    dataset: Dataset,
    division: Division,
    call: Callable[..., tuple[Rows, Rows]] | None = None,
) -> tuple[SplitCard, dict[str, bytes]]:
    """Divide a data set.

    Parameters
    ----------
    call
        How the splitter ``shuffled`` calls the function that imports scikit-learn.

    Returns
    -------
    card, files
        The files by name: both parts as CSV, with floats that are read back exactly, and the folds
        of another splitter than ``shuffled``.
    """
    if division.is_shuffled:
        chosen = ChosenRows(*division.splitter(call).split(dataset), folds=())
    else:
        chosen = choose_rows(dataset, division)
    files = {TRAIN: write_part(dataset, chosen.train), TEST: write_part(dataset, chosen.test)}
    if chosen.folds:
        files[FOLDS] = folds_to_csv(chosen)
    card = SplitCard(
        data_digest=dataset.digest,
        train_rows=len(chosen.train),
        test_rows=len(chosen.test),
        train_digest=digest_of(files[TRAIN]),
        test_digest=digest_of(files[TEST]),
        folds_digest=digest_of(files[FOLDS]) if chosen.folds else None,
        left_out=None
        if division.is_shuffled
        else len(dataset.target) - len(chosen.train) - len(chosen.test),
        feature_names=list(dataset.feature_names),
        target_name=dataset.target_name,
        kinds=list(dataset.kinds) or None,
        roles=roles_kept(dataset.roles) or None,
        **division.identity(len(chosen.train) * dataset.features.shape[1]),
    )
    return card, files


def write_split(store: ArtifactStore, card: SplitCard, files: Mapping[str, bytes]) -> None:
    """Store a split; the card last, so that every file in it exists."""
    with suppress(ArtifactError):
        earlier = read_card(store, CARD, SplitCard).folds_digest
        if earlier and FOLDS not in files and digest_of(store.read(FOLDS)) == earlier:
            store.delete(FOLDS)
    store.write_together({**files, CARD: card.to_bytes()})


def read_examples(store: ArtifactStore, card: SplitCard, task: Task) -> Examples:
    """Read a stored split, verified, with its folds.

    Labels that are whole numbers become numbers: for scorers such as ``f1``, the positive class is
    the number 1, not the text "1".

    Raises
    ------
    ArtifactError
        If a file is missing or was changed.
    """
    if not card.train_rows:
        rows, target = np.empty((0, 0)), np.empty(0)
        return Examples(rows, target, rows, target, folds=())
    files = {name: read_verified(store, name, digest) for name, digest in card.digests.items()}
    kept = card.roles or ()
    _, features, target = read_part(files[TRAIN], task, card.kinds, kept)
    _, test_features, test_target = read_part(files[TEST], task, card.kinds, kept)
    if task == "classification" and all(map(_WHOLE.fullmatch, {*target, *test_target})):
        target, test_target = target.astype(np.int64), test_target.astype(np.int64)
    folds: Sequence[Fold]
    if card.splitter is None:
        folds = LazyFolds(target, settings_of(card), task)
    else:
        folds = read_folds(files[FOLDS]) if card.folds else ()
    roles = [read_part_roles(files[part], kept) for part in (TRAIN, TEST)]
    return Examples(features, target, test_features, test_target, folds, *roles)


def validation_rows(folds: Sequence[Fold]) -> list[Rows]:
    """Return the positions of each fold's validation rows within the training rows."""
    return [validated for _, validated in folds]


def settings_of(card: SplitCard) -> SplitSettings:
    """Return the settings that the splitter ``shuffled`` or ``grouped`` made a split with."""
    if card.splitter_name not in (SHUFFLED.use, "grouped") or card.test_size is None:
        raise ValueError("another splitter made this split")
    return SplitSettings(card.test_size, card.seed, card.folds, card.stratify, card.repeats or 1)


def notes_on_split(card: SplitCard, target: Target, task: Task) -> list[str]:
    """Remarks on a split: rows left out, and classes with fewer training rows than folds.

    Parameters
    ----------
    target
        Target of the training rows.
    """
    if not card.train_rows:
        return []
    if card.splitter is None:
        return notes_on_folds(target, settings_of(card), task)
    return [f"the splitter leaves out {counted(card.left_out, 'row')}"] if card.left_out else []


def split_problems(store: ArtifactStore, task: Task) -> list[str]:
    """Return what is wrong with a stored split; nothing if the list is empty.

    Rows may be in neither part if the card counts them as left out. Classes have to keep their
    proportions only if the splitter promises that.
    """
    card = read_card(store, CARD, SplitCard)
    if not card.train_rows:
        return []
    files = {name: store.read(name) for name in card.digests}
    problems = [
        f"{name} was changed since it was made"
        for name, digest in card.digests.items()
        if digest_of(files[name]) != digest
    ]
    try:
        kept = card.roles or ()
        train_rows, train_target = read_target(files[TRAIN], task, kept)
        test_rows, test_target = read_target(files[TEST], task, kept)
    except (ValueError, IndexError):  # from a changed file
        return problems
    shared = np.intersect1d(train_rows, test_rows)
    if len(shared):
        problems.append(f"{counted(len(shared), 'row')} in both parts")
    left_out = card.left_out or 0
    number = card.train_rows + card.test_rows + left_out
    absent = np.setdiff1d(np.arange(number), [*train_rows, *test_rows])
    if len(absent) > left_out:
        problems.append(f"{counted(len(absent) - left_out, 'row')} in neither part")
    splitter = card.splitter_name
    # The other built-in splitters keep them as far as they can.
    if card.stratify and (splitter == SHUFFLED.use or splitter not in BUILT_IN):
        problems += _uneven_classes(train_target, test_target)
    if splitter in BUILT_IN:
        roles = [read_part_roles(files[part], kept) for part in (TRAIN, TEST)]
        problems += _broken_promises(splitter, *roles)
    return problems


def _broken_promises(splitter: str, train: RowRoles, test: RowRoles) -> list[str]:
    """What a built-in splitter promises of the parts and does not hold."""
    if splitter == "grouped" and train.group is not None and test.group is not None:
        shared = np.intersect1d(train.group, test.group)
        return [f"{counted(len(shared), 'group')} in both parts"] if len(shared) else []
    if splitter == "time" and train.time is not None and test.time is not None:
        early = int(np.sum(test.time <= train.time.max()))
        return [f"{counted(early, 'test row')} no later than all training rows"] if early else []
    return []


def _uneven_classes(train: Target, test: Target) -> list[str]:
    """Name the classes that do not keep their proportions."""
    share = len(test) / max(1, len(train) + len(test))
    train_counts, test_counts = class_counts(train), class_counts(test)
    problems: list[str] = []
    for name in sorted({*train_counts, *test_counts}):
        in_test = test_counts.get(name, 0)
        expected = share * (in_test + train_counts.get(name, 0))
        if abs(in_test - expected) > 1:
            problems.append(
                f"class {legible(name)} has {counted(in_test, 'test row')} instead of about "
                f"{expected:.1f}"
            )
    return problems
