"""`CandidateSource`: what is tried first, what is asked for later, and what a sampler is shown."""

from pathlib import Path

import pytest

from iris_hpo.errors import InputError
from iris_hpo.parts import Part
from iris_hpo.samplers import PARAMETER_FILES, Observation, check_sampler
from iris_hpo.samplers.source import CandidateSource
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo_tests.space.spaces import CONDITIONAL, GRID

SPACE = ParameterSpace(
    [Axis("C", "C", low=1, high=100, log=True), Axis("depth", "D", type="int", nullable=True)]
)
RANDOM = Part("random")


class Listing:
    """A sampler of a user's own: the same candidates, whatever is known."""

    def propose(self, space, *_):
        return [space.candidate([number, None]) for number in (1, 2, 3)]


class Following:
    """A sampler of a user's own: the next whole number."""

    def propose(self, space, observations, running):
        return [space.candidate([len(observations) + len(running) + 1, None])]


def source_of(folder, part=RANDOM, space=SPACE, **more):
    return CandidateSource(part, space, folder, **more)


def keys(candidates):
    return [candidate.key for candidate in candidates]


def observed(candidates):
    return [Observation(each, 1.0, (), number) for number, each in enumerate(candidates)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two depths, and two explicit candidates."""
    (tmp_path / "depth_parameters.txt").write_text("2\n4\n")
    (tmp_path / "more.csv").write_text("C,depth\n5,2\n1000,none\n")
    return tmp_path


def test_explicit_candidates_and_the_default_are_tried_first(folder):
    source = source_of(folder, default={"C": 1.0, "depth": 4})

    assert keys(source.first()) == ["C1.0_D4", "C5.0_D2", "C1000.0_D~"]


@pytest.mark.parametrize(
    "default", [{"C": 1.0}, {"C": 0.5, "depth": 4}, {"C": "scale", "depth": 4}, {}]
)
def test_a_default_is_not_tried_where_it_is_not_looked(folder, default):
    assert keys(source_of(folder, default=default).first()) == ["C5.0_D2", "C1000.0_D~"]


def test_a_default_without_axes_that_it_does_not_need_is_tried(tmp_path):
    source = source_of(tmp_path, space=CONDITIONAL, default={"C": 1.0, "kernel": "linear"})

    assert keys(source.first()) == ["C1.0_Klinear"]


def test_an_axis_with_files_has_their_values(folder):
    source = source_of(folder)
    observations = observed(source.first())
    for _ in range(12):
        (candidate,) = source.propose(observations, ())
        observations.append(Observation(candidate, 1.0, (), len(observations)))

    assert {seen.candidate.values[1] for seen in observations[2:]} == {2, 4}


@pytest.mark.parametrize(
    "place", [{"low": 1, "high": 20}, {"values": [1, 2]}, {"low": 1, "high": 20, "step": 1}]
)
def test_a_place_that_files_take_is_named(tmp_path, place):
    axes = [Axis("C", "C", **place), Axis("gamma", "G", values=[10, 1])]
    (tmp_path / "c_parameters.txt").write_text("1\n10\n")
    (tmp_path / "gamma_parameters.txt").write_text("1\n10\n")

    source = CandidateSource(Part("files"), ParameterSpace(axes), tmp_path)
    assert source.unused_places == ("C",)


def test_an_axis_that_no_candidate_can_have_is_named(tmp_path):
    kernel = Axis("kernel", "K", type="str", values=["rbf", "poly"])
    number = {"low": 1, "high": 9}
    axes = [
        kernel,
        Axis("C", "C", when={"kernel": ["rbf", "linear"]}, **number),
        Axis("degree", "D", when={"kernel": "ploy"}, **number),
        Axis("coef0", "E", when={"degree": 2}, **number),
        Axis("gamma", "G", when={"C": 2}, **number),
    ]

    assert source_of(tmp_path, space=ParameterSpace(axes)).unmet_axes == ("degree", "coef0")
    (tmp_path / "kernel_parameters.txt").write_text("ploy\n")
    assert source_of(tmp_path, space=ParameterSpace(axes)).unmet_axes == ("C", "gamma")


@pytest.mark.parametrize(
    ("when", "unmet"),
    [
        ({"steps": 9}, ()),
        ({"steps": 10}, ("last",)),  # beyond the range
        ({"steps": [10, 3]}, ()),
        ({"degree": 2, "kernel": "poly"}, ()),
        ({"degree": 2, "kernel": "rbf"}, ("last",)),  # degree exists for poly alone
        ({"degree": 2, "shift": 1}, ("last",)),  # and shift for rbf
    ],
)
def test_conditions_that_are_met_by_none_or_never_at_once_are_named(tmp_path, when, unmet):
    axes = [
        Axis("kernel", "K", type="str", values=["rbf", "poly"]),
        Axis("steps", "S", type="int", low=1, high=9),
        Axis("degree", "D", type="int", values=[2, 3], when={"kernel": "poly"}),
        Axis("shift", "E", type="int", values=[0, 1], when={"kernel": "rbf"}),
        Axis("last", "L", low=1, high=9, when=when),
    ]

    assert source_of(tmp_path, space=ParameterSpace(axes)).unmet_axes == unmet


def test_without_a_folder_the_axes_say_where_to_look():
    source = source_of(Path("/nowhere"), space=CONDITIONAL)

    assert keys(source.first()) == []
    assert len(source.propose((), ())) == 1


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_an_axis_that_does_not_say_where_to_look_is_refused(folder, tmp_path):
    with pytest.raises(InputError) as refusal:
        source_of(tmp_path / folder).first()

    assert str(refusal.value) == (
        "the axis 'depth' does not say where to look; write low and high, or values to it, or its "
        "values into depth_parameters.txt"
    )
    assert refusal.value.field == ("axes", 1)


def test_refine_begins_with_the_grid_and_the_explicit_candidates(tmp_path):
    (tmp_path / "more.csv").write_text("C,kernel,gamma,degree\n7,linear,,\n5,poly,2,9\n")
    source = source_of(tmp_path, Part("refine"), GRID, default={"C": 100.0, "kernel": "linear"})
    first = source.first()

    assert len(first) == 52 + 2
    assert source.propose(observed(first), ()) != ()


def test_what_the_files_list_is_known_under_any_sampler(folder):
    space = ParameterSpace([Axis("C", "C", low=1, high=4, step=1), SPACE.axes[1]])
    source = source_of(folder, space=space)
    in_files = {
        key: source.is_in_files(space.parse_key(key))
        for key in ("C1.0_D2", "C4.0_D4", "C1000.0_D~", "C1.0_D~", "C1.5_D2", "C5.0_D4")
    }

    assert [key for key, is_in in in_files.items() if is_in] == ["C1.0_D2", "C4.0_D4", "C1000.0_D~"]
    assert not source_of(folder).is_in_files(space.parse_key("C1.0_D2"))


@pytest.mark.parametrize(
    ("use", "covered"),
    [
        ("random", ["C1.0_D2", "C2.5_D4"]),
        (f"{__name__}.Listing", ["C1.0_D2", "C2.5_D4"]),
    ],
)
def test_a_sampler_is_shown_what_is_where_it_looks(folder, use, covered):
    source = source_of(folder, Part(use))
    known = ["C1.0_D2", "C2.5_D4", "C200.0_D2", "C1.0_D3", "C1.0_D~"]

    assert [key for key in known if source.covers(SPACE.parse_key(key))] == covered


def test_refine_looks_between_and_beyond_the_grid(tmp_path):
    source = source_of(tmp_path, Part("refine"), GRID)
    known = ["C0.3_Klinear", "C1000.0_Krbf_G0.02", "C1.0_Ksigmoid"]

    assert [key for key in known if source.covers(GRID.parse_key(key))] == known[:2]


def test_what_is_known_is_no_news(tmp_path):
    source = source_of(tmp_path, Part(f"{__name__}.Listing"))
    first = source.first()

    assert keys(first) == ["C1.0_D~", "C2.0_D~", "C3.0_D~"]
    assert keys(source.propose(observed(first[:1]), ())) == ["C2.0_D~", "C3.0_D~"]
    assert source.propose(observed(first[:1]), first[1:]) == ()
    assert source.propose(observed(first), ()) == ()


def test_a_sampler_of_the_users_own_is_asked_again(tmp_path):
    source = source_of(tmp_path, Part(f"{__name__}.Following"))

    assert keys(source.propose(observed(source.first()), ())) == ["C2.0_D~"]


def test_there_are_never_more_candidates_than_the_limit(tmp_path):
    source = source_of(tmp_path, Part(f"{__name__}.Listing"), limit=3)
    other = [SPACE.candidate([50 + number, None]) for number in range(3)]

    assert keys(source.propose(observed(other[:2]), ())) == ["C1.0_D~"]
    assert source.propose(observed(other), ()) == ()


@pytest.mark.parametrize(
    ("use", "is_scored", "is_adaptive"),
    [
        ("files", True, False),
        ("files", False, False),
        ("random", True, True),
        ("random", False, True),
        ("qmc", False, True),
        ("tpe", True, True),
        ("refine", True, True),
        (f"{__name__}.Following", True, True),
        (f"{__name__}.Following", False, False),
    ],
)
def test_which_samplers_are_asked_again(tmp_path, use, is_scored, is_adaptive):
    source = source_of(tmp_path, Part(use), is_scored=is_scored)

    assert source.is_adaptive == is_adaptive


@pytest.mark.parametrize("use", ["tpe", "gp", "refine"])
def test_a_sampler_does_not_steer_by_the_test_rows(tmp_path, use):
    with pytest.raises(InputError, match="the only score is that of the test rows, which judge"):
        source_of(tmp_path, Part(use), is_scored=False)


def test_the_seed_of_the_search_is_that_of_its_sampler(tmp_path):
    def drawn(part, seed):
        return source_of(tmp_path, part, CONDITIONAL, seed=seed).propose((), ())

    assert drawn(RANDOM, 1) != drawn(RANDOM, 2)
    assert drawn(Part("random", {"seed": 1}), 2) == drawn(RANDOM, 1)


def test_settings_of_a_built_in_sampler_are_checked(tmp_path):
    with pytest.raises(InputError, match=r"sampler 'random' refuses its settings.*'steps'"):
        source_of(tmp_path, Part("random", {"steps": 2}), CONDITIONAL).first()


@pytest.mark.parametrize(
    ("use", "name"),
    [
        *((use, "seed") for use in ("random", "qmc", "tpe")),
        ("tpe", "n_startup_trials"),
        ("refine", "halvings"),
    ],
)
@pytest.mark.parametrize("value", [-1, 1.5, "x", True])
def test_a_setting_that_is_no_whole_number_is_refused_when_a_sampler_is_made(use, name, value):
    with pytest.raises(InputError) as refusal:
        check_sampler(Part(use, {name: value}))

    assert str(refusal.value) == (
        f"sampler {use!r} refuses its settings: {name} {value!r} must be a whole number of at "
        "least 0"
    )


def test_the_files_sampler_lists_all(folder):
    (folder / "c_parameters.txt").write_text("1\n")
    source = source_of(folder, PARAMETER_FILES)

    assert keys(source.first()) == ["C1.0_D2", "C1.0_D4", "C5.0_D2", "C1000.0_D~"]
