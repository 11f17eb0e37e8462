"""The test module of docs/extending.md, on the parts of that page."""

import re
import sys

import pytest

from iris_hpo_tests.processes import REPOSITORY

pytest_plugins = ["pytester"]

PAGE = (REPOSITORY / "docs" / "extending.md").read_text()


def code(language: str) -> str:
    return "\n\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_parts_of_the_page_keep_the_contracts(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(pytester.path), *sys.path])
    pytester.makepyfile(own_parts=code("python"))
    path = pytester.makepyfile(code("py"))

    result = pytester.inline_run(path, "-p", "no:cacheprovider")

    passed, skipped, failed = result.listoutcomes()
    assert (len(passed) > 0, skipped, failed) == (True, [], [])
