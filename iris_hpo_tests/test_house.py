"""What keeps the code readable: small files, small functions, and no clumps of arguments."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from iris_hpo_tests.conftest import LONGEST_FIRST
from iris_hpo_tests.syntax import tree_of

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "iris_hpo"
FILES = sorted(PACKAGE.rglob("*.py"))

FILE_LINES = 300
FUNCTION_LINES = 50
CLUMP = {"DagsterInstance", "SearchSpec", "Names", "Storage", "ArtifactStore", "ParameterSpace"}
"""A function that needs two of these takes a `Study`, which is made of them."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed(text: str) -> ast.Module:
    return tree_of(text)


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def type_name(annotation: ast.expr | None) -> str:
    """Name the class of an argument: ``Names`` for ``"names.Names | None"``."""
    text = ast.unparse(annotation).strip("'\"") if annotation else ""
    return text.partition(" |")[0].rpartition(".")[2]


def clump(function: Function) -> list[str]:
    arguments = function.args
    taken = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    names = [type_name(argument.annotation) for argument in taken]
    return sorted(CLUMP.intersection(names))


def too_long(text: str) -> list[str]:
    """Name what is too long in a module."""
    lines = len(text.splitlines())
    found = [f"{lines} lines"] if lines > FILE_LINES else []
    for function in functions(parsed(text)):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > FUNCTION_LINES:
            found.append(f"{function.name}: {length} lines")
    return found


def clumps(text: str) -> list[str]:
    """Name the functions of a module that take two of what a study is made of."""
    tree = parsed(text)
    study = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Study"]
    makers = {id(function) for node in study for function in functions(ast.Module(node.body, []))}
    return [
        f"{function.name}: {', '.join(clump(function))}"
        for function in functions(tree)
        if len(clump(function)) > 1 and id(function) not in makers
    ]


def breaches_by_file(rule: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """What breaks a rule, by file; all files in one test, as a test each takes longer."""
    found = {str(path.relative_to(PACKAGE)): rule(path.read_text()) for path in FILES}
    return {name: breaches for name, breaches in found.items() if breaches}


def test_files_and_functions_are_short() -> None:
    assert breaches_by_file(too_long) == {}


def test_no_function_takes_a_clump() -> None:
    assert breaches_by_file(clumps) == {}


def test_breaches_are_seen() -> None:
    statements = "\n".join(["    pass"] * FUNCTION_LINES)
    assert too_long(f"def f():\n{statements}\n") == ["f: 51 lines"]
    assert too_long("\n" * (FILE_LINES + 1)) == ["301 lines"]
    assert clumps("def f(a: 'names.Names | None', *, b: dg.DagsterInstance) -> None: ...") == [
        "f: DagsterInstance, Names"
    ]
    assert clumps("class A:\n    async def f(self, a: Storage, /, b: SearchSpec): ...") == [
        "f: SearchSpec, Storage"
    ]
    assert clumps("def f(a: Storage, b: list[SearchSpec]): ...") == []


def test_the_files_that_begin_first_exist() -> None:
    tests = Path(__file__).parent
    assert [name for name in LONGEST_FIRST if not (tests / name).is_file()] == []
