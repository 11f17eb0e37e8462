"""The wheel, installed as a user installs it, without the repository."""

import os
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from iris_hpo_tests.processes import answers, copy_repository, free_port, running, wait_for

pytestmark = pytest.mark.slow

OURS = ("DAGSTER_HOME", "IRIS_HPO_DATA", "IRIS_HPO_ARTIFACTS", "PYTHONPATH")


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel of this repository."""

    folder: Path
    wheel: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        return {**kept, "PATH": f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}"}

    def shell(self, line: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def files(self) -> set[Path]:
        """What is installed, without what Python compiles."""
        return {
            path
            for path in self.folder.rglob("*")
            if "iris_hpo" in path.parts and "__pycache__" not in path.parts
        }


def pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        check=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel without a download, and install it beside the packages of the tests."""
    root = tmp_path_factory.mktemp("wheel")
    source = copy_repository(root / "source")
    pip("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(root), str(source))
    (wheel,) = root.glob("*.whl")
    folder = root / "venv"
    venv.create(folder, symlinks=True)
    pip("--python", str(folder / "bin" / "python"), "install", "-q", "--no-deps", str(wheel))
    (site,) = folder.glob("lib/python*/site-packages")
    packages = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "packages_of_the_tests.pth").write_text("".join(f"{path}\n" for path in packages))
    (folder / "bin" / "dg").write_text(
        f"#!{folder / 'bin' / 'python'}\nfrom dagster_dg_cli.cli import main\nmain()\n"
    )
    (folder / "bin" / "dg").chmod(0o755)
    return Installed(folder, wheel)


def test_the_wheel_has_the_examples_and_no_results(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = {name for name in wheel.namelist() if "/example_projects/" in name}
    inside = {name.partition("/example_projects/")[2] for name in names}
    assert {"data/noisy_iris.csv", "examples/iris.yaml", "examples/.dagster/dagster.yaml"} <= inside
    tracked = {path for path in inside if path.startswith(("data/", "examples/"))}
    assert tracked == inside
    assert not [name for name in inside if "artifacts" in name or name.endswith((".db", ".pkl"))]


def test_outside_a_project_nothing_is_read_or_written(installed: Installed, tmp_path: Path) -> None:
    before = installed.files()
    for line in ("run", "predict rows.csv"):
        result = installed.shell(f"iris-hpo {line}", tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == (
            f"iris-hpo: {tmp_path} is no Dagster project: it has no pyproject.toml; change to the "
            "folder of your project. `iris-hpo example FOLDER` writes a small project that works, "
            "to begin with\n"
        )
    assert list(tmp_path.iterdir()) == []
    assert installed.files() == before


def test_the_example_does_what_its_commands_promise(installed: Installed, tmp_path: Path) -> None:
    before = installed.files()
    place = installed.shell("python -c 'import iris_hpo; print(iris_hpo.__file__)'", tmp_path)
    assert Path(place.stdout).is_relative_to(installed.folder)

    written = installed.shell("iris-hpo example 'my project'", tmp_path)
    assert (written.returncode, written.stderr) == (0, "")
    run, dev = (line.strip() for line in written.stdout.splitlines()[-2:])
    assert run == "cd 'my project' && iris-hpo run"
    assert dev == 'DAGSTER_HOME="$PWD/.dagster" dg dev'

    result = installed.shell(run, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "77 trained, 0 reused, 0 failed" in result.stdout
    assert "champion C32.0_G0.016: expect 0." in result.stdout
    assert "0.9667 on the 30 test rows it was chosen by" in result.stdout

    port, log = free_port(), tmp_path / "dev.log"
    line = f"cd {tmp_path}/'my project'; export {dev.partition(' ')[0]}; exec dg dev -p {port}"
    with running(["bash", "-c", line], log, installed.environment) as process:
        wait_for("web server", lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
    assert "superseded" not in log.read_text()
    assert installed.files() == before
