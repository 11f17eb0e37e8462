"""The files of a selection are compared side by side where a store waits for its answers."""

import threading

import pytest
from upath import UPath

from iris_hpo.orchestration.selection_status import check_files
from iris_hpo.store.digests import ArtifactError, digest_of
from iris_hpo.store.folder import ArtifactStore


class Slow(ArtifactStore):
    """A store that answers two readers at a time; one alone is never answered."""

    readers = 2

    def __init__(self) -> None:
        super().__init__(UPath("memory://slow"))
        self._both = threading.Barrier(2)

    def read(self, name: str, **_: object) -> bytes:
        self._both.wait(timeout=20)
        return name.encode()


def test_files_are_read_side_by_side() -> None:
    check_files(Slow(), [(name, digest_of(name.encode())) for name in "abcd"])


def test_one_that_was_changed_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"slow/d "):
        check_files(Slow(), [(name, digest_of(b"a")) for name in "ad"])
