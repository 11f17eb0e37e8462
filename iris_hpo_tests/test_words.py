"""Plain words in the product and its documentation, as CONTRIBUTING.md asks.

Only rules that a program can check are here: words that are not used, docstrings and descriptions
without their noun, modules without a docstring, and names that do not say what they hold.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from iris_hpo_tests.processes import REPOSITORY
from iris_hpo_tests.syntax import tree_of

UNWANTED: Final = re.compile(
    r"\b(anew|mend(?:s|ed|ing)?|whoever|in\s+vain|for\s+ever|tell(?:s|ing)?|told|said|meanwhile"
    r"|of\s+one\s+mind|stands?\s+for|(?:is|are|was)\s+of)\b",
    re.IGNORECASE,
)
WITHOUT_NOUN: Final = re.compile(r"^\s*(Of) ", re.MULTILINE)
UNWANTED_NAMES: Final = {"asked", "found", "said", "some", "wanted"}

FOLDERS: Final = ("iris_hpo", "benchmarks", "examples")
MODULES: Final = sorted(path for name in FOLDERS for path in (REPOSITORY / name).rglob("*.py"))
PAGES: Final = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(REPOSITORY / name for name in ("Makefile", "setup.cfg")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *(path for name in ("deploy", "examples") for path in (REPOSITORY / name).rglob("*.yaml")),
]

EXCEPTIONS: Final[dict[tuple[str, str], str]] = {}
"""Path and words that are allowed there, with the reason."""


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def texts_of(nodes: Sequence[ast.AST], source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, messages, comments and other texts of a module, with the line of each."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    if not any("#" in line and UNWANTED.search(line) for line in source.splitlines()):
        return  # to find out what is a comment takes long
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def names_of(nodes: Sequence[ast.AST]) -> Iterator[tuple[int, str]]:
    """Names of variables and parameters of a module, with the line of each."""
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def breaches_of_module(source: str) -> list[tuple[int, str]]:
    """Line and words of every breach in a module; a missing docstring is on line 1."""
    module = tree_of(source)
    nodes = [*ast.walk(module)]
    breaches = [
        (line, " ".join(match[1].split()))
        for line, text in texts_of(nodes, source)
        for rule in (UNWANTED, WITHOUT_NOUN)
        for match in rule.finditer(text)
    ]
    breaches += [(line, name) for line, name in names_of(nodes) if name in UNWANTED_NAMES]
    if source.strip() and not ast.get_docstring(module):
        breaches.append((1, "no docstring"))
    return breaches


def breaches_of_page(source: str) -> list[tuple[int, str]]:
    """Line and words of every breach in a page or a file of settings."""
    return [
        (source.count("\n", 0, match.start()) + 1, " ".join(match[1].split()))
        for match in UNWANTED.finditer(source)
    ]


def breaches_of(path: Path) -> list[tuple[int, str]]:
    source = path.read_text("utf-8")
    return breaches_of_module(source) if path.suffix == ".py" else breaches_of_page(source)


@pytest.fixture(scope="module")
def breaches() -> dict[str, list[tuple[int, str]]]:
    """Line and words of every breach, by file."""
    return {name_of(path): breaches_of(path) for path in [*MODULES, *PAGES]}


def test_words_are_plain(breaches: dict[str, list[tuple[int, str]]]) -> None:
    assert [
        f"{name}:{line}: {words}"
        for name, found in breaches.items()
        for line, words in found
        if (name, words) not in EXCEPTIONS
    ] == []


def test_every_exception_is_needed(breaches: dict[str, list[tuple[int, str]]]) -> None:
    in_use = {(name, words) for name, found in breaches.items() for _, words in found}
    assert EXCEPTIONS.keys() <= in_use


@pytest.mark.parametrize(
    ("source", "breach"),
    [
        ('"""Data."""\n\nX = 1\n"""Of the split."""\n', (4, "Of")),
        ('"""Data."""\n\n\ndef f():\n    """Tell the count."""\n', (5, "Tell")),
        ('"""Data.\n\n    Of a file.\n"""\n', (1, "Of")),
        ('"""Data."""\n\nX = f"{1} is of no use"\n', (3, "is of")),
        ('"""Data."""\n# It stands\nX = 1  # it is made anew\n', (3, "anew")),
        ('"""Data, for\never."""\n', (1, "for ever")),
        ('"""Data."""\n\nfound = 1\n', (3, "found")),
        ('"""Data."""\n\n\ndef f(wanted):\n    """Do it."""\n', (4, "wanted")),
        ("X = 1\n", (1, "no docstring")),
    ],
)
def test_a_breach_in_a_module_is_reported(source: str, breach: tuple[int, str]) -> None:
    assert breach in breaches_of_module(source)


def test_a_breach_in_a_page_is_reported() -> None:
    assert breaches_of_page("# Data\n\nThe file stands\nfor rows.\n") == [(3, "stands for")]


@pytest.mark.parametrize(
    "source",
    ['"""Data of a file."""\n\nfoundation = "a retelling"\n', ""],
)
def test_plain_words_pass(source: str) -> None:
    assert breaches_of_module(source) == []
