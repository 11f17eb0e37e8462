"""What is of no release is identified by its source, with all that it imports."""

import json
import pickle
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

from iris_hpo.errors import WholeRunError
from iris_hpo.training import source_code
from iris_hpo.training.estimators import Recipe, Step
from iris_hpo.training.source_code import code_of

MINE = """\
from sklearn.tree import DecisionTreeClassifier
import json
from belongings.deep import shift
from belongings import deeper

class Mine(DecisionTreeClassifier):
    def predict(self, X, check_input=True):
        return shift(super().predict(X))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a module and a package, on the path."""
    package = tmp_path / "belongings"
    package.mkdir()
    (tmp_path / "mine.py").write_text(MINE)
    (package / "__init__.py").write_text("")
    (package / "deep.py").write_text("from .core.shifts import shift\n")
    (package / "deeper.py").write_text("")
    (package / "unused.py").write_text("")
    (package / "core").mkdir()
    (package / "core" / "shifts.py").write_text("import numpy as np\n\nshift = np.negative\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(source_code, "_loaded", {})
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mine", "belongings")]:
        del sys.modules[name]


def recipe() -> Recipe:
    return Recipe((Step("mine.Mine"),))


def test_the_code_is_the_module_and_what_it_imports(project: Path) -> None:
    del project

    found = code_of(["mine.Mine"])

    assert list(found.digests) == [
        "belongings",
        "belongings.core.shifts",
        "belongings.deep",
        "belongings.deeper",
        "mine",
    ]
    assert found.packages == {"sklearn", "numpy"}
    assert recipe().package_versions()["numpy"] == version("numpy")
    assert "mine" not in sys.modules, "it is read, not imported"


@pytest.mark.parametrize("file", ["mine.py", "belongings/__init__.py", "belongings/core/shifts.py"])
@pytest.mark.parametrize("imported", [False, True])
def test_an_edit_changes_the_identity(project: Path, file: str, *, imported: bool) -> None:
    if imported:
        recipe().build()
    before = recipe().identity()

    (project / file).write_text((project / file).read_text() + "# edited\n")

    assert recipe().identity() != before


def test_an_edit_of_what_is_not_imported_does_not(project: Path) -> None:
    before = recipe().identity()

    (project / "belongings" / "unused.py").write_text("# edited\n")

    assert recipe().identity() == before


def test_what_is_loaded_must_be_what_was_planned_with(project: Path) -> None:
    """A process that imported the module before an edit would pass old results for new ones."""
    planned = recipe()
    planned.build()
    planned.check_code()
    (project / "mine.py").write_text(MINE + "# edited\n")

    pickle.loads(pickle.dumps(planned)).check_code()  # a worker gets the code of the plan
    with pytest.raises(WholeRunError) as refusal:
        recipe().check_code()
    assert str(refusal.value).startswith("the code of mine that is loaded here is not the code")


def test_a_worker_that_cannot_find_the_code_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = recipe()
    assert planned.code
    packed = pickle.dumps(planned)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder != str(project)])

    with pytest.raises(WholeRunError, match=r"^a worker cannot find belongings, .*, mine, which"):
        pickle.loads(packed).check_code()


def test_released_packages_are_identified_by_their_versions() -> None:
    for path in ("sklearn.svm.SVC", "scipy.stats.norm", "os.path.join"):
        assert code_of([path]).digests == {}
    assert Recipe((Step("sklearn.svm.SVC"),)).identity() == {
        "steps": [["sklearn.svm.SVC", {}]],
        "seed": 0,
        "packages": {"scikit-learn": version("scikit-learn")},
    }


@pytest.mark.parametrize(
    ("origin", "installer", "is_code"),
    [
        (None, "pip", False),
        ({"url": "file:///there/w.whl", "archive_info": {}}, "pip", False),
        ({"url": "file:///there", "dir_info": {}}, "pip", True),
        ({"url": "file:///there", "dir_info": {}}, "conda", False),
        ({"url": "file:///there", "dir_info": {"editable": True}}, "pip", True),
        ({"url": "https://there/w.git", "vcs_info": {"vcs": "git", "commit_id": "c"}}, "uv", True),
    ],
)
def test_an_installation_that_can_change_under_its_version_is_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    origin: object,
    installer: str,
    *,
    is_code: bool,
) -> None:
    (tmp_path / "widgets.py").write_text("class Widget: ...\n")
    info = tmp_path / "widgets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: widgets\nVersion: 1.0\n")
    (info / "INSTALLER").write_text(f"{installer}\n")
    (info / "RECORD").write_text("widgets.py,,\n")
    if origin:
        (info / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(str(tmp_path))
    for cached in ("distributions", "_release_folders", "_is_release"):
        fresh = cache(getattr(source_code, cached).__wrapped__)
        monkeypatch.setattr(source_code, cached, fresh)

    assert bool(code_of(["widgets.Widget"]).digests) is is_code
