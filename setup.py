"""Adds the example projects to the built package; everything else stands in setup.cfg."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# In git they are folders of the repository, and `iris-hpo example` finds them there or in the
# package. Patterns, so that nothing that was computed in a checkout is packed.
EXAMPLES = (
    "data/noisy_iris.csv",
    "data/parameters/*.txt",
    "examples/*.py",
    "examples/*.toml",
    "examples/*.yaml",
    "examples/.dagster/dagster.yaml",
    "examples/data/parameters/*/*.txt",
    "examples/defs/*/*.yaml",
)
TARGET = Path("iris_hpo", "example_projects")


def example_files() -> list[str]:
    """Paths of the files, relative to the repository."""
    return sorted(str(path) for pattern in EXAMPLES for path in Path().glob(pattern))


class BuildWithExamples(build_py):
    """Copies the example projects beside the modules, but not for an editable install."""

    def run(self) -> None:
        """Build the package."""
        super().run()
        if self.editable_mode:
            return
        for name in example_files():
            copy = Path(self.build_lib, TARGET, name)
            self.mkpath(str(copy.parent))
            self.copy_file(name, str(copy))

    def get_source_files(self) -> list[str]:
        """Name what the source distribution needs."""
        return [*super().get_source_files(), *example_files()]


setup(cmdclass={"build_py": BuildWithExamples})
