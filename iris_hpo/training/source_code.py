"""Digests of the source code that an objective runs and that belongs to no release.

A released package is identified by its version. A module of the project itself, or of a package
installed from a folder (editable or not) or from version control, can change under one version. So
the bytes of such a module are hashed, together with those of the modules of this kind that it
imports. Imports are read from the source: imports by a computed name, and files that are not code,
are not covered.
"""

import ast
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from pkgutil import get_importer
from types import ModuleType
from typing import Final

_OURS: Final = "iris_hpo"
"""This package has versions of its own in fingerprints, even if it is installed from a folder."""

_SCIKIT_LEARN: Final = "sklearn"


@dataclass(frozen=True)
class SourceCode:
    """The code behind some import paths.

    Attributes
    ----------
    digests
        sha256 of the file by module, for modules that belong to no release.
    packages
        Top-level names of the released packages that the paths name or these modules import.
    """

    digests: Mapping[str, str]
    packages: frozenset[str]


_loaded: dict[tuple[str, ...], tuple[list[ModuleType | None], SourceCode]] = {}
_imports: dict[tuple[str, str], frozenset[str]] = {}


def code_of(paths: Iterable[str]) -> SourceCode:
    """Read the code behind import paths of classes and functions, as the files are now."""
    digests: dict[str, str] = {}
    packages: set[str] = set()
    waiting = {name for path in paths for name in _prefixes(path)}
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if name in digests or top in packages or top == _OURS or top in sys.stdlib_module_names:
            continue
        spec = None if _is_release(top) else _find(name)
        if _is_release(top) or (spec and spec.origin and _is_released(top, Path(spec.origin))):
            packages.add(top)
            continue
        if spec is None or spec.origin is None:  # an attribute, or a namespace
            continue
        try:
            content = Path(spec.origin).read_bytes()
        except OSError:  # built in, or gone since it was imported
            continue
        digests[name] = hashlib.sha256(content).hexdigest()
        waiting |= _imported(name, spec, content, digests[name])
    return SourceCode(dict(sorted(digests.items())), frozenset(packages))


def loaded_code(paths: Iterable[str]) -> SourceCode:
    """Return the code that this process has loaded.

    That is the content of the files at the first call, so call it right after the import.
    """
    key = tuple(sorted(set(paths)))
    modules = [sys.modules.get(name) for path in key for name in _prefixes(path)]
    if key not in _loaded or _loaded[key][0] != modules:  # or they were imported again
        _loaded[key] = modules, code_of(key)
    return _loaded[key][1]


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1) if all(parts[:length]))


def _find(name: str) -> ModuleSpec | None:
    """Find a module without importing it or its parents."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return getattr(module, "__spec__", None) or ModuleSpec(name, None, origin=file)
    parent, _, _ = name.rpartition(".")
    try:
        if not parent:
            return importlib.util.find_spec(name)
        package = _find(parent)
    except (ImportError, ValueError):
        return None
    return _find_within(name, package.submodule_search_locations or ()) if package else None


def _find_within(name: str, folders: Iterable[str]) -> ModuleSpec | None:
    namespace: list[str] = []
    for folder in folders:
        importer = get_importer(folder)
        spec = importer.find_spec(name) if importer else None
        if spec is not None and spec.origin is not None:
            return spec
        namespace += (spec and spec.submodule_search_locations) or ()
    if not namespace:
        return None
    package = ModuleSpec(name, None, is_package=True)
    package.submodule_search_locations = namespace
    return package


@cache
def _is_release(top: str) -> bool:
    """Whether a top-level package or module is a released one; a namespace is not."""
    spec = _find(top)
    return bool(spec and spec.origin) and _is_released(top, Path(str(spec and spec.origin)))


def _is_released(top: str, file: Path) -> bool:
    resolved = file.resolve()
    return any(folder in resolved.parents for folder in _release_folders(top))


@cache
def _release_folders(top: str) -> tuple[Path, ...]:
    """The folders that released distributions of a top-level name are installed in."""
    names = ["scikit-learn"] if top == _SCIKIT_LEARN else distributions().get(top, [])
    folders: list[Path] = []
    for name in names:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        origin = json.loads(installed.read_text("direct_url.json") or "{}")
        by_conda = (
            installed.read_text("INSTALLER") or ""
        ).strip() == "conda"  # builds from folders
        if not by_conda and ("dir_info" in origin or "vcs_info" in origin):
            return ()
        folders.append(Path(str(installed.locate_file(""))).resolve())
    return tuple(folders)


@cache
def distributions() -> Mapping[str, list[str]]:
    """Names of the installed distributions of each top-level module, for which all are read."""
    return packages_distributions()


def _imported(name: str, spec: ModuleSpec, content: bytes, digest: str) -> frozenset[str]:
    if not str(spec.origin).endswith(".py"):
        return frozenset()
    if (name, digest) not in _imports:
        package = name if spec.submodule_search_locations else name.rpartition(".")[0]
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError):  # its import says so
            return frozenset()
        _imports[name, digest] = frozenset(
            prefix for imported in _import_names(tree, package) for prefix in _prefixes(imported)
        )
    return _imports[name, digest]


def _import_names(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
