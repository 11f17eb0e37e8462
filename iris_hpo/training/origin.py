"""Where an objective comes from: its source code, if not part of a release, and its packages."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version

from iris_hpo.errors import InputError, WholeRunError
from iris_hpo.training.source_code import code_of, distributions, loaded_code


class Origin(ABC):
    """Something that is made of classes and functions by their import paths."""

    @property
    @abstractmethod
    def import_paths(self) -> tuple[str, ...]:
        """The import paths."""

    @property
    def calls_others(self) -> bool:
        """Whether code of others than scikit-learn is called in this process."""
        return any(path.partition(".")[0] != "sklearn" for path in self.import_paths)

    @cached_property
    def code(self) -> Mapping[str, str]:
        """Digests of modules that belong to no release, as they are when this is first read.

        Workers get those of the process that plans the work.
        """
        return code_of(self.import_paths).digests

    def loaded(self) -> Mapping[str, str]:
        """Digests of the same modules, as this process has loaded them."""
        return loaded_code(self.import_paths).digests

    def check_code(self) -> None:
        """Refuse to work with other code than the work was planned with.

        Raises
        ------
        WholeRunError
            If this process has loaded a module as it was before an edit, or as another machine
            has it.
        """
        loaded = self.loaded()
        if loaded.items() < self.code.items():
            missing = ", ".join(sorted(self.code.keys() - loaded.keys()))
            raise WholeRunError(
                f"a worker cannot find {missing}, which this run was planned with: put "
                "the folder that it is imported from on the import path of the workers (PYTHONPATH)"
                ", or install it where they run"
            )
        if loaded != self.code:
            names = {name for name, _ in loaded.items() ^ self.code.items()}
            raise WholeRunError(
                f"the code of {', '.join(sorted(names))} that is loaded here is not the code that "
                "this run was planned with: it was edited in between, or differs between machines; "
                "run the search again; Dask workers that have loaded it must be restarted before"
            )

    def package_versions(self) -> dict[str, str]:
        """Versions of scikit-learn and of the packages that the paths and their own code name.

        Imports of scikit-learn itself, and of other released packages, are not followed.
        """
        paths = self.import_paths
        return dict(_versions_of(frozenset({*_top_levels(paths), *code_of(paths).packages})))

    def source(self) -> Mapping[str, str]:
        """Digests of the modules in `code`, which may have inputs and a version of the user too."""
        return self._of_modules(self.code)

    def _of_modules(self, code: Mapping[str, str]) -> dict[str, str]:
        modules = code_of(self.import_paths).digests
        return {name: digest for name, digest in code.items() if name in modules}

    def check_made_with(
        self, what: str, versions: Mapping[str, str], source: Mapping[str, str] | None
    ) -> None:
        """Refuse to use a model that was made with other packages, or other source code.

        Parameters
        ----------
        what
            Names the model in the message.
        versions, source
            What its card says; no source is checked if there is none.

        Raises
        ------
        InputError
            If something differs.
        """
        for package, present in self.package_versions().items():
            if versions.get(package) != present:
                raise InputError(
                    f"{what} was trained with {package} {versions.get(package)}, this is "
                    f"{present}; run the search again"
                )
        if source is None:
            return
        loaded = self._of_modules(self.loaded())
        if source != loaded:
            names = {name for name, _ in source.items() ^ loaded.items()}
            raise InputError(
                f"{what} was trained with other code of {', '.join(sorted(names))} than this "
                "process has: run the search again, or restart a process that has an earlier one"
            )

    def origin_identity(self) -> dict[str, object]:
        """Return what of the origin decides a result, as JSON."""
        return {
            "packages": self.package_versions(),
            **({"code": dict(self.code)} if self.code else {}),
        }


def _top_levels(paths: Iterable[str]) -> set[str]:
    return {"sklearn", *(path.partition(".")[0] for path in paths)}


@cache
def _versions_of(modules: frozenset[str]) -> dict[str, str]:
    installed = distributions() if len(modules) > 1 else {}
    names = {
        "scikit-learn",
        *(name for module in modules for name in installed.get(module, ())),
    }
    versions: dict[str, str] = {}
    for name in sorted(names):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # a module of the project itself, not installed
            continue
    return versions
