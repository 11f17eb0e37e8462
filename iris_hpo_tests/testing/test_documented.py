"""The test module of docs/extending.md, on the parts of that page."""

import re
from pathlib import Path

import pytest

from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.testing.inner_run import run_module

PAGE = (REPOSITORY / "docs" / "extending.md").read_text()


def code(language: str) -> str:
    return "\n\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_parts_of_the_page_keep_the_contracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_parts.py").write_text(code("python"))
    path = tmp_path / "test_own_parts.py"
    path.write_text(code("py"))

    outcomes = run_module(path)

    assert outcomes.failed == set()
    assert len(outcomes.passed) > 8
