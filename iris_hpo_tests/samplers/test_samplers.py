"""Samplers: what a search asks of one, what it makes of the answer, and what it refuses."""

import itertools
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.samplers import PARAMETER_FILES, SAMPLERS, check_sampler, list_candidates
from iris_hpo.samplers.parameter_files import ParameterFileError, read_parameter_files
from iris_hpo.samplers.parameter_list import CandidateList
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import Candidate, ParameterSpace

SPACE = ParameterSpace(
    [Axis("C", symbol="C", positive=True), Axis("depth", symbol="D", type="int", nullable=True)]
)
OTHER = ParameterSpace([Axis("alpha", symbol="A"), Axis("depth", symbol="D", type="int")])
NOWHERE = Path("/nowhere")


@dataclass
class Fixed:
    """Proposes what it is made with."""

    answer: object = None
    error: Exception | None = None
    asked: list[object] = field(default_factory=list)

    def propose(self, *arguments):
        self.asked.append(arguments)
        if self.error is not None:
            raise self.error
        return self.answer


class Refusing:
    def __init__(self, error):
        raise error

    propose = Fixed.propose


class Silent:
    """Has nothing that a sampler has."""


FIXED = f"{__name__}.Fixed"


def candidates_of(answer, limit=100, **settings):
    part = Part(FIXED, {"answer": answer, **settings})
    return list_candidates(part, SPACE, NOWHERE, limit)


def refusal_of(answer=None, limit=100, **settings):
    with pytest.raises(InputError) as refusal:
        candidates_of(answer, limit, **settings)
    return str(refusal.value)


def grid(space=SPACE, first=(0.5, 1.0), second=(1, 2)):
    return list(space.grid([first, second]))


def write_files(folder, **values):
    for name, lines in values.items():
        (folder / f"{name}_parameters.txt").write_text(lines)
    return folder


def test_the_default_is_the_parameter_files():
    assert Part("files") == PARAMETER_FILES


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_short_name_stands_for_a_sampler(name):
    module, _, sampler = SAMPLERS[name].rpartition(".")

    assert callable(getattr(import_module(module), sampler).propose)


def test_the_files_sampler_lists_what_the_files_say(tmp_path):
    write_files(tmp_path, c="1\n0.5\n", depth="2\n")
    (tmp_path / "more.csv").write_text("C,depth\n1,2\n3,none\n")

    listed = list_candidates(PARAMETER_FILES, SPACE, tmp_path, 3)

    assert listed == read_parameter_files(tmp_path, SPACE)
    assert [candidate.key for candidate in listed] == ["C0.5_D2", "C1.0_D2", "C3.0_D~"]
    assert listed.axis_values == {"C": (0.5, 1.0), "depth": (2,)}, "of the files that are crossed"
    assert listed.explicit == 2


def test_the_limit_holds_for_the_files_sampler(tmp_path):
    write_files(tmp_path, c="1\n0.5\n", depth="2\n")

    with pytest.raises(ParameterFileError, match="make 2 candidates; the limit is 1"):
        list_candidates(PARAMETER_FILES, SPACE, tmp_path, 1)


def test_a_sampler_is_asked_once_for_all_candidates():
    asked = []

    candidates_of(grid(), asked=asked)

    assert asked == [(SPACE, (), ())]


def test_proposed_candidates_are_put_in_order_and_taken_once():
    first, *others, last = grid()

    listed = candidates_of([last, *others, last, first])

    assert list(listed) == [first, *others, last]
    assert (len(listed), listed[0], listed[-1:]) == (4, first, (last,))
    assert listed.axis_values == {"C": (0.5, 1.0), "depth": (1, 2)}
    assert listed.explicit == 4


def test_values_become_those_that_the_axes_hold():
    (candidate,) = candidates_of([Candidate("C1.0_D2", [1, 2.0])])

    assert candidate == Candidate("C1.0_D2", (1.0, 2))
    assert [type(value) for value in candidate.values] == [float, int]


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        ("float", np.float64(0.5), "X0.5"),
        ("float", np.float32(0.5), "X0.5"),
        ("int", np.int64(3), "X3"),
        ("bool", np.bool_(1), "XTrue"),
        ("str", np.str_("rbf"), "Xrbf"),
        (("float", "str"), np.float64(0.5), "X0.5"),
        (("int", "str"), np.int64(3), "X3"),
    ],
)
def test_values_may_be_drawn_by_numpy(kind, value, key):
    candidate = ParameterSpace([Axis("x", "X", type=kind)]).candidate([value])

    assert candidate.key == key
    assert candidate.values[0].__class__.__module__ == "builtins"


def test_equal_candidates_have_one_digest_wherever_they_come_from(tmp_path):
    write_files(tmp_path, c="0.5\n1\n", depth="1\n2\n")
    files = list_candidates(PARAMETER_FILES, SPACE, tmp_path, 100)
    by_path = Part(SAMPLERS["files"], {"folder": str(tmp_path)})

    assert candidates_of(grid()).digest == files.digest
    assert list_candidates(by_path, SPACE, NOWHERE, 100).digest == files.digest
    assert candidates_of(grid()[1:]).digest != files.digest


def test_repeated_candidates_do_not_count_towards_the_limit():
    assert len(candidates_of(grid() * 3, limit=4)) == 4


def test_more_candidates_than_the_limit_are_refused_before_all_are_made():
    endless = (SPACE.candidate([number, None]) for number in itertools.count(1))

    assert refusal_of(endless, limit=4) == (
        f"the sampler {FIXED} proposes more than 4 candidates; that is the limit, set it with "
        "max_candidates"
    )
    assert next(endless).key == "C6.0_D~"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "proposes 'None'; it must return a sequence of candidates"),
        ((), "proposes no candidates; a search needs at least one"),
        (["C0.5_D1"], "proposes 'C0.5_D1', which is no candidate; make candidates with space."),
        ([{"C": 1}], "which is no candidate; make candidates with space.candidate(values)"),
        (
            grid(OTHER),
            "proposes 'A0.5_D1', a candidate of another space: in this one its key is 'C0.5_D1'; ",
        ),
        ([Candidate("C1.0", (1.0,))], "a candidate of another space: it has 1 value for 2 axes"),
        (
            [Candidate("C0.0_D1", (0.0, 1))],
            "it has C '0.0', which is not greater than zero",
        ),
        ([Candidate("../x", (1.0, 1))], "proposes '../x', a candidate of another space"),
        ([Candidate("C1.0_D1", None)], "failed: TypeError"),
    ],
)
def test_what_is_no_list_of_candidates_of_the_space_is_refused(answer, problem):
    message = refusal_of(answer)

    assert message.startswith(f"the sampler {FIXED} ")
    assert problem in message


def test_the_list_of_another_sampler_is_checked_too():
    assert "a candidate of another space" in refusal_of(CandidateList.of(grid(OTHER), OTHER))
    assert "more than 3 candidates" in refusal_of(CandidateList.of(grid(), SPACE), limit=3)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("C9"), "KeyError: 'C9'"),
        (ValueError("no\n  place"), "ValueError: no place"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_an_exception_of_a_sampler_names_the_sampler_in_one_line(error, reason):
    assert refusal_of(error=error) == (
        f"the sampler {FIXED} failed: {reason}; correct it, or name another one in sampler"
    )


def test_an_exception_of_a_generator_names_the_sampler():
    assert "failed: ZeroDivisionError" in refusal_of(1 / (n - 1) for n in [2, 1][1:])


def test_what_a_sampler_says_of_its_input_is_shown_as_it_is():
    assert refusal_of(error=InputError("rows.txt, line 3: no number")) == (
        "rows.txt, line 3: no number"
    )


@pytest.mark.parametrize(
    ("part", "message", "place"),
    [
        (Part("bayes"), "sampler 'bayes' is unknown; choose one of files, random", "use"),
        (Part("nothing.Here"), "the sampler 'nothing.Here' cannot be imported", "use"),
        (Part(f"{__name__}.Silent"), "a class with the method propose is needed", "use"),
        (Part(FIXED, {"rows": 3}), "refuses its settings", "settings rows"),
        (
            Part(f"{__name__}.Refusing", {"error": KeyError("D9")}),
            "refuses its settings: 'D9'",
            "settings",
        ),
        (
            Part("files", {"folder": "x"}),
            "the sampler files has no settings here; the search has parameters_folder and",
            "settings",
        ),
    ],
)
@pytest.mark.parametrize(
    "use", [check_sampler, lambda part: list_candidates(part, SPACE, NOWHERE, 9)]
)
def test_a_sampler_that_cannot_be_made_is_refused(part, message, place, use):
    with pytest.raises(InputError) as refusal:
        use(part)

    assert message in str(refusal.value)
    assert refusal.value.field == tuple(place.split())


def test_a_module_that_cannot_be_imported_is_one_message(tmp_path, monkeypatch):
    (tmp_path / "own_broken.py").write_text("class Own:\n    def propose(self)\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(InputError, match=r"'own_broken.Own' cannot be imported \(expected ':'"):
        check_sampler(Part("own_broken.Own"))
