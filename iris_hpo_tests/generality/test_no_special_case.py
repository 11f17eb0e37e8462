"""Nothing below `iris.py` asks which search or which estimator it works on."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from sklearn.utils import all_estimators

import iris_hpo
from iris_hpo_tests.syntax import tree_of

PACKAGE = Path(iris_hpo.__file__).parent
DESCRIBES_A_SEARCH = {"iris.py", "scaffold.py", "example.py", "curated.py"}
"""The shipped search, and those that ``dg scaffold``, ``iris-hpo example`` and ``init`` write."""
HOLDS_KNOWLEDGE = {
    *("simplicity.py", "known_estimators.py", "svm_folds.py", "svm_kernel.py"),
    *("preparation.py", "scorers.py", "importance.py", "gain.py"),
}
"""What is true of scikit-learn's own classes: a table, which an axis can overrule, what lets
candidates share the kernel of an SVM, the transformers that prepare features, the scorers, the
forest that a report explains scores with, and the Gaussian process that expects gains."""

ESTIMATORS = {name for name, _ in all_estimators()}
NAMES = {
    *("iris", "noisy_iris", "noisy_iris.csv", "c_gamma", "wine", "digits"),  # searches
    *("C", "gamma", "kernel", "G", "n_estimators", "max_depth", "N", "D"),  # axes and choices
    *("rbf", "poly", "sigmoid", "svm"),  # not "linear", which is a scale of a plot too
    *ESTIMATORS,
    *(name.lower() for name in ESTIMATORS),
}
OWN = {"Pipeline", "DummyClassifier", "DummyRegressor"}
"""What `iris_hpo` itself uses, whatever the search is."""


@cache
def modules() -> dict[str, list[ast.AST]]:
    """The nodes of each module, by its path."""
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 40
    return {
        str(path.relative_to(PACKAGE)): [*ast.walk(tree_of(path.read_text()))]
        for path in found
        if path.name not in DESCRIBES_A_SEARCH | HOLDS_KNOWLEDGE
    }


def nodes_of(code: str) -> list[ast.AST]:
    return [*ast.walk(tree_of(code))]


def branches_on_names(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Strings of searches and estimators that code compares with, matches, or looks up."""
    for node in nodes:
        asked: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.match_case):
            asked = [node.pattern]
        elif isinstance(node, ast.Dict):  # a table of cases
            asked = [key for key in node.keys if key is not None]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("startswith", "endswith", "removeprefix", "get", "fullmatch")
        ):
            asked = list(node.args)
        for part in asked:
            for constant in ast.walk(part):
                if isinstance(constant, ast.Constant) and is_name(constant.value):
                    yield constant.lineno, str(constant.value)


def is_name(value: object) -> bool:
    return isinstance(value, str) and (value.startswith("sklearn.") or value.strip("_") in NAMES)


def imported_estimators(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Estimator classes that code imports, as an `isinstance` would need."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name in ESTIMATORS - OWN:
                    yield node.lineno, alias.name


def test_no_branch_on_a_search_or_an_estimator() -> None:
    assert [
        f"{name}:{line}: {estimator}"
        for name, nodes in modules().items()
        for line, estimator in (*branches_on_names(nodes), *imported_estimators(nodes))
    ] == []


@pytest.mark.parametrize(
    "code",
    [
        'if spec.name == "iris": pass',
        'x = 1 if "SVC" in step.estimator else 2',
        'if step.name in ("svc", "svr"): pass',
        'if "kernel" not in choices: pass',
        "match estimator:\n    case 'sklearn.svm.SVC': pass",
        'sizes = {"RandomForestClassifier": 3}[name]',
        'if step.estimator.startswith("sklearn.svm"): pass',
        'kernel = choices.get("kernel")',
        'if parameter.endswith("__gamma"): pass',
    ],
)
def test_such_a_branch_would_be_found(code: str) -> None:
    assert list(branches_on_names(nodes_of(code)))


def test_such_an_import_would_be_found() -> None:
    assert list(imported_estimators(nodes_of("from sklearn.svm import SVC")))
    assert not list(imported_estimators(nodes_of("from sklearn.pipeline import Pipeline")))


def test_the_shipped_search_is_described_in_one_place() -> None:
    users = [
        name
        for name, nodes in modules().items()
        if any(
            isinstance(node, ast.ImportFrom) and node.module == "iris_hpo.iris" for node in nodes
        )
    ]
    assert users == ["command/project.py", "definitions.py"], "the default of the command, and defs"
