"""Bad input of every kind, as users give it: one message, exit code 2, nothing written.

What every single value looks like that a parser refuses stands with the parsers' own tests; here
it is the way of a mistake through the whole command, and through the run configuration of the UI.
"""

import shutil
import tracemalloc
from dataclasses import replace

import pytest

from iris_hpo.command import session
from iris_hpo.iris import iris_search
from iris_hpo_tests.faults.conftest import small
from iris_hpo_tests.projects import REPOSITORY_DATA, ShippedProject

ROWS = (REPOSITORY_DATA / "noisy_iris.csv").read_text().splitlines()
EXPECTS = "write a finite number greater than zero such as 0.25 or 1e-3, one a line"
GRID = "the header must be C,gamma"
COMMAS = "features and a target, separated by commas, are needed"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> ShippedProject:
    """An instance that is made once; nothing of what follows may be recorded on it."""
    project = small(ShippedProject.create(tmp_path_factory.mktemp("bad")))
    shutil.copytree(project.data, project.root / "good")
    assert project.call("status").returncode == 0
    return project


@pytest.fixture
def clean(once: ShippedProject) -> ShippedProject:
    """The project with its files as they should be."""
    shutil.rmtree(once.data)
    shutil.copytree(once.root / "good", once.data)
    return once


def refuse(project: ShippedProject, *arguments: str) -> str:
    """The one message with which a command refuses; it has written nothing."""
    result = project.call(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("iris-hpo: ")
    assert result.stderr.count("\n") == 1, result.stderr
    assert len(result.stderr) < 600
    assert not project.artifacts.exists()
    with project.instance() as instance:
        assert instance.get_runs_count() == 0
        assert list(instance.get_dynamic_partitions("c_gamma")) == []
    return result.stderr.removeprefix("iris-hpo: ").rstrip("\n")


def text(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("c_parameters.txt", b"", f": holds no value; {EXPECTS}"),
        ("c_parameters.txt", b"# later\n\n", f": holds no value; {EXPECTS}"),
        ("c_parameters.txt", b"0\n", f", line 1: C '0' is not greater than zero; {EXPECTS}"),
        ("c_parameters.txt", b"-1\n", f", line 1: C '-1' is not greater than zero; {EXPECTS}"),
        ("c_parameters.txt", b"nan\n", f", line 1: C 'nan' is not a finite number; {EXPECTS}"),
        ("c_parameters.txt", b"1\ninf\n", f", line 2: C 'inf' is not a finite number; {EXPECTS}"),
        (
            "c_parameters.txt",
            b"1e400\n",
            f", line 1: C '1e400' is too large for a number; {EXPECTS}",
        ),
        ("c_parameters.txt", b"1\n0x10\n", f", line 2: C '0x10' is not a number; {EXPECTS}"),
        ("c_parameters.txt", b"1,000\n", f", line 1: C '1,000' is not a number; {EXPECTS}"),
        ("c_parameters.txt", b"1.000,5\n", f", line 1: C '1.000,5' is not a number; {EXPECTS}"),
        ("c_parameters.txt", b"1 000\n", f", line 1: C '1 000' is not a number; {EXPECTS}"),
        ("c_parameters.txt", b"1_000\n", f", line 1: C '1_000' is not a number; {EXPECTS}"),
        ("c_parameters.txt", "٣\n".encode(), f", line 1: C '٣' is not a number; {EXPECTS}"),
        ("c_parameters.txt", b"1\r\n2\r\nx\r\n", f", line 3: C 'x' is not a number; {EXPECTS}"),
        ("c_parameters.txt", b"\xef\xbb\xbfx\n", f", line 1: C 'x' is not a number; {EXPECTS}"),
        (
            "c_parameters.txt",
            "1\n".encode("utf-16"),
            ", line 1: byte 0xff is not UTF-8 text; save it as UTF-8",
        ),
        (
            "c_parameters.txt",
            b"1\n\0\n",
            ", line 2: holds a NUL byte, as no text does; remove it, or write the file again",
        ),
        (
            "c_parameters.txt",
            b"\x89PNG\r\n\x1a\n",
            ", line 1: byte 0x89 is not UTF-8 text; save it as UTF-8",
        ),
        (
            "c_parameters.txt",
            b"1" * 1_000_000,
            f", line 1: C '{'1' * 60}...' is too large for a number; {EXPECTS}",
        ),
        (
            "depth_parameters.txt",
            b"1\n",
            (
                ": the name does not begin with a known axis; parameter files are called "
                "c_parameters*.txt, gamma_parameters*.txt or *.csv"
            ),
        ),
        ("x.csv", b"", ": holds no candidate; write the header C,gamma, then one a row"),
        ("x.csv", b"C,gamma,C\n1,1,1\n", f", line 1: an axis is named twice; {GRID}"),
        ("x.csv", b"C,delta\n1,1\n", f", line 1: 'delta' is not an axis; {GRID}"),
        ("x.csv", b"C;gamma\n1;1\n", f", line 1: 'C;gamma' is not an axis; {GRID}"),
        ("x.csv", b"C,gamma\n1\n", ", line 2: has 1 cell; the header has 2"),
        ("x.csv", b'C,gamma\n"1,1\n', ", line 2: is not CSV: unexpected end of data"),
    ],
)
def test_parameter_files(clean: ShippedProject, name: str, content: bytes, problem: str) -> None:
    (clean.parameters / name).write_bytes(content)
    assert refuse(clean, "run") == f"{clean.parameters / name}{problem}"


def test_a_grid_that_is_absurd_is_refused_at_once(clean: ShippedProject) -> None:
    """Two files of 10,000 lines; their product would fill the memory."""
    for name in ("c_parameters.txt", "gamma_parameters.txt"):
        lines = "".join(f"{number}\n" for number in range(1, 10_001))
        (clean.parameters / name).write_text(lines)
    clean.call("status")  # so that what is loaded once is no memory of the refusal
    tracemalloc.start()
    refusal_text = refuse(clean, "run")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal_text == (
        f"{clean.parameters}: 10000 x 10000 values and 0 rows make 100000000 candidates; the limit "
        "is 100000, set it with max_candidates"
    )
    assert peak < 50_000_000  # a hundred million candidates take some 20 GB


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", ": holds no rows; write one example a line"),
        (b"\n \n,,\n", ": holds no rows; write one example a line"),
        (text("a,b,c,d,e"), ": holds a header and no rows; write one example a line"),
        (text("1", "2"), f", line 1: has 1 column; {COMMAS}"),
        (text(*ROWS).replace(b",", b":"), f", line 1: has 1 column; {COMMAS}"),
        (
            text(ROWS[0]),
            ": 1 row leaves 0 for training; with test_size 0.2 and 5 folds that is too few",
        ),
        (
            text(*(f"{row.rpartition(',')[0]},a" for row in ROWS)),
            ": every row has the label 'a'; at least two classes are needed: give another target",
        ),
        (
            text(*ROWS, "1,2,3,4,lonely"),
            (
                ": class 'lonely' has 1 row; the split needs 2 of each class: join small classes "
                "under one label, remove their rows, or write stratify: false"
            ),
        ),
        (
            text(*ROWS).decode().encode("utf-16")[:-1],
            ", line 150: is not UTF-16 text; save the file as UTF-8",
        ),
        (
            bytes(10_000),
            ", line 1: holds a NUL byte, as no text does; remove it, or write the file again",
        ),
        (
            b"\x89PNG\r\n\x1a\n",
            ", line 1: byte 0x89 is not UTF-8 text; save the file as UTF-8",
        ),
        (text("a,b,a,d,e", *ROWS), ", line 1: two columns are named 'a'; rename one"),
        (
            text(*ROWS, "1,2,3,4"),
            ", line 151: has 4 columns; the lines before have 5; correct or remove the line",
        ),
        (
            text(*ROWS, "1,2,3,4,5,a"),
            ", line 151: has 6 columns; the lines before have 5; correct or remove the line",
        ),
        (
            text(*ROWS, "1,nan,3,4,a"),
            ", line 151, column 2: the value is missing ('nan'); fill it in or remove the row",
        ),
        (text(*ROWS, "1,-inf,3,4,a"), ", line 151, column 2: '-inf' is not finite; remove the row"),
        (
            text(*ROWS, "1,1e400,3,4,a"),
            ", line 151, column 2: '1e400' is not finite; remove the row",
        ),
        (
            text(*ROWS, "1,,3,4,a"),
            ", line 151, column 2: the value is missing (''); fill it in or remove the row",
        ),
        (
            text(*ROWS, "1,2,3,4,"),
            (
                ", line 151, column 5: the label is missing in 1 row; fill it in, or write "
                "without_target: drop to leave such rows out"
            ),
        ),
        (
            text(*ROWS, "1,0x1,3,4,a"),
            ", line 151, column 2: '0x1' is not a number; encode it as one or drop the column",
        ),
        (
            text(*ROWS, '1,"1,000",3,4,a'),
            ", line 151, column 2: '1,000' is not a number; encode it as one or drop the column",
        ),
        (
            text(*ROWS, '1,"0,5",3,4,a'),
            ", line 151, column 2: '0,5' is not a number; encode it as one or drop the column",
        ),
    ],
)
def test_data_files(clean: ShippedProject, content: bytes, problem: str) -> None:
    path = clean.data / "noisy_iris.csv"
    path.write_bytes(content)
    assert refuse(clean, "run") == f"{path}{problem}"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (text(*("1,1,1,1," + row.rpartition(",")[2] for row in ROWS)), 0),
        (b"\xef\xbb\xbf" + text(*ROWS).replace(b"\n", b"\r\n"), 0),
        (text(*ROWS, "1,1e300,3,4,Iris-setosa"), 1),
    ],
    ids=["constant features", "BOM and CRLF", "a number that no kernel takes"],
)
def test_data_that_is_odd_is_used(
    few: ShippedProject, monkeypatch: pytest.MonkeyPatch, content: bytes, code: int
) -> None:
    without_reports = replace(iris_search(), reports=())  # which take longest
    monkeypatch.setattr(session, "find_search", lambda *_: without_reports)
    (few.data / "noisy_iris.csv").write_bytes(content)
    result = few.call("run", "--engine", "serial", "--folds", "0", "--json")
    assert result.returncode == code
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run --jobs -1", "jobs -1 must be 0 (one per core) or a number of processes"),
        ("run --retries -1", "retries -1 must be 0 or more"),
        (
            "run --candidate-timeout 0",
            "candidate_timeout 0.0 must be a number of seconds above 0",
        ),
        (
            "run --candidate-timeout nan",
            "candidate_timeout nan must be a number of seconds above 0",
        ),
        ("run --folds 1", "folds 1 must be 0 (off) or at least 2"),
        ("run --folds -1", "folds -1 must be 0 (off) or at least 2"),
        (
            "run --folds 1000",
            (
                "{data}/noisy_iris.csv: 150 rows leave 120 for training; with test_size 0.2 "
                "and 1000 folds that is too few"
            ),
        ),
        ("run --seed -1", "seed -1 must lie between 0 and 4294967295"),
        ("run --seed 99999999999", "seed 99999999999 must lie between 0 and 4294967295"),
        ("run --test-size 0", "test_size 0.0 must lie between 0 and 1, such as 0.2"),
        ("run --test-size nan", "test_size nan must lie between 0 and 1, such as 0.2"),
        ("run --test-size 1e400", "test_size inf must lie between 0 and 1, such as 0.2"),
        (
            "run --kernel cubic",
            "kernel 'cubic' is unknown; choose one of rbf, linear, poly, sigmoid",
        ),
        ("run --set kernel", "--set 'kernel': write NAME=VALUE"),
        ("run --set C=1", "this search has no choice 'C'; it has kernel"),
        (
            "status --rule cv --folds 0",
            "rule 'cv' ranks by cross-validation; set folds to at least 2",
        ),
        (
            "run --data /no/such",
            "/no/such/noisy_iris.csv: the data cannot be read: No such file or directory",
        ),
        ("run --engine gpu", "engine 'gpu' is unknown; choose one of loky, serial, dask"),
        ("predict rows.csv", "nothing was selected yet; run the search first"),
    ],
)
def test_arguments(clean: ShippedProject, arguments: str, message: str) -> None:
    assert refuse(clean, *arguments.split()) == message.format(data=clean.data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run --jobs x", "Invalid value for '--jobs': 'x' is not a valid integer."),
        ("run --jobs 1e3", "Invalid value for '--jobs': '1e3' is not a valid integer."),
        ("run --seed 0x10", "Invalid value for '--seed': '0x10' is not a valid integer."),
        ("run --folds 2.5", "Invalid value for '--folds': '2.5' is not a valid integer."),
        ("run --test-size 0,2", "Invalid value for '--test-size': '0,2' is not a valid float."),
        ("run --rule best", "Invalid value for '--rule': 'best' is not one of"),
        ("leaderboard --top 0", "Invalid value for '--top': 0 is not in the range x>=1."),
        ("leaderboard --format xml", "Invalid value for '--format': 'xml' is not one of"),
        ("predict", "Missing argument 'FILE'."),
        ("status --nonsense", "No such option '--nonsense'."),
        ("nonsense", "No such command 'nonsense'."),
    ],
)
def test_arguments_that_are_none(clean: ShippedProject, arguments: str, message: str) -> None:
    """These are click's own: usage, and one error."""
    result = clean.call(*arguments.split())
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("Error: ") == 1
    assert f"Error: {message}" in result.stderr
    assert not clean.artifacts.exists()
