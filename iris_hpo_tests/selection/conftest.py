import pytest

from iris_hpo.selection import draws, fold_scores, sampling


@pytest.fixture
def few_draws(monkeypatch):
    for module in (draws, fold_scores, sampling):
        monkeypatch.setattr(module, "DRAWS", 8)
