"""Every kind of store keeps the contract."""

import uuid

import pytest

from iris_hpo.store.objects import open_store
from iris_hpo.testing import StoreContract


class TestFolder(StoreContract):
    rewrites = 60
    rewritten_bytes = 1_000_000

    @pytest.fixture(autouse=True)
    def _in_a_folder(self, tmp_path):
        self.root = tmp_path / "artifacts"

    def make_store(self):
        return open_store(str(self.root))


class TestFileUrl(TestFolder):
    rewrites = 2

    def make_store(self):
        return open_store(self.root.as_uri())


class TestMemory(StoreContract):
    def make_store(self):
        return open_store(f"memory://{uuid.uuid4().hex}/artifacts")


@pytest.mark.usefixtures("s3")
class TestS3(StoreContract):
    rewrites = 5

    def make_store(self):
        return open_store(f"s3://bucket/{uuid.uuid4().hex}")
