"""The data version of `selection` changes if and only if the selection may."""

from iris_hpo.orchestration.selection_status import selection_version
from iris_hpo.orchestration.status import Status
from iris_hpo.run_settings import SelectionSettings
from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace
from iris_hpo.space.simplicity import Simplest
from iris_hpo.store.cards import fingerprint
from iris_hpo_tests.projects import KEYS, SpecProject, succeed


def select_again(project: SpecProject, rule: str = "test_score") -> str:
    """Select once more; give the new data version."""
    succeed(project.run("selection", selection={"rule": rule}))
    return project.data_version("selection")


def test_it_stays_while_scores_stay(searched: SpecProject) -> None:
    before = searched.data_version("selection")
    assert select_again(searched) == before
    searched.materialize_sources()
    succeed(searched.materialize_candidates())
    assert select_again(searched) == before, "recorded again"
    succeed(searched.materialize_candidates(candidates={"force": True}))
    assert select_again(searched) == before, "made again, and equal"


def test_it_is_the_same_wherever_the_search_is_done(
    searched: SpecProject, finished: SpecProject
) -> None:
    assert searched.data_version("selection") == finished.data_version("selection")


def test_it_changes_with_the_rule_and_back(searched: SpecProject) -> None:
    before = searched.data_version("selection")
    versions = {before, select_again(searched, "cv"), select_again(searched, "one_standard_error")}
    assert len(versions) == 3
    assert select_again(searched) == before


def test_it_changes_with_the_scores(searched: SpecProject) -> None:
    before = searched.data_version("selection")
    succeed(searched.run("split", split={"folds": 3}))
    succeed(searched.materialize_candidates())
    assert select_again(searched) != before


def test_it_changes_with_who_is_missing_and_back(searched: SpecProject) -> None:
    before = searched.data_version("selection")
    searched.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
    with_missing = select_again(searched)
    searched.instance.add_dynamic_partitions("c_gamma", ["C2.0_G2.0"])
    with_two = select_again(searched)
    assert len({before, with_missing, with_two}) == 3

    for key in ("C1.0_G1.0", "C2.0_G2.0"):
        searched.instance.delete_dynamic_partition("c_gamma", key)
    assert select_again(searched) == before


def test_it_changes_when_the_missing_fail(searched: SpecProject) -> None:
    searched.instance.add_dynamic_partitions("c_gamma", ["C1.0"])
    missing = select_again(searched)
    assert not searched.run("models", "scores", partition="C1.0").success
    assert select_again(searched) != missing
    assert searched.metadata("selection")["failed"] == "1: C1.0"


def test_it_changes_when_a_candidate_goes(searched: SpecProject) -> None:
    before = searched.data_version("selection")
    searched.instance.delete_dynamic_partition("c_gamma", KEYS[0])
    assert select_again(searched) != before
    assert len(searched.leaderboard()) == 5


def test_the_order_of_registration_does_not_matter(searched: SpecProject) -> None:
    before = searched.data_version("selection")
    searched.instance.delete_dynamic_partition("c_gamma", KEYS[0])
    searched.instance.add_dynamic_partitions("c_gamma", [KEYS[0]])
    assert searched.registered() == [*KEYS[1:], KEYS[0]]
    assert select_again(searched) == before


def test_a_score_that_was_edited_is_refused_by_name(searched: SpecProject) -> None:
    path = searched.artifacts / "scores" / f"{KEYS[0]}.json"
    path.write_text(path.read_text().replace('"correct": 2', '"correct": 3'))
    result = searched.run("selection")
    assert not result.success
    data = result.failure_data_for_node("selection")
    assert data is not None
    assert data.user_failure_data is not None
    assert f"{path} is not what was recorded" in str(data.user_failure_data.description)
    assert len(searched.materializations("selection")) == 1


def test_a_selected_model_that_was_changed_is_refused_by_name(searched: SpecProject) -> None:
    champion = searched.metadata("selection")["champion"]
    before = searched.files("selection")
    path = searched.model_file(champion)
    path.write_bytes(path.read_bytes() + b"x")
    result = searched.run("selection")
    assert not result.success
    data = result.failure_data_for_node("selection")
    assert data is not None
    assert data.user_failure_data is not None
    assert f"{path} is not the file that was recorded" in str(data.user_failure_data.description)
    assert searched.files("selection") == before, "nothing is written before all are checked"


def test_it_changes_with_what_is_simple_where_that_decides() -> None:
    status = Status({}, {}, {}, {}, {}, {}, {}, set())

    def version(rule: str, simplest: Simplest | None) -> str:
        space = ParameterSpace([Axis("x", "X", simplest=simplest)])
        return selection_version(status, SelectionSettings(rule), space)

    assert len({version("one_standard_error", end) for end in ("low", "high", "neither")}) == 3
    assert len({version("cv", end) for end in (None, "low", "high")}) == 1


def test_it_changes_only_with_a_refit() -> None:
    status, space = Status({}, {}, {}, {}, {}, {}, {}, set()), ParameterSpace([Axis("x", "X")])

    def version(rule: str, refit: str) -> str:
        return selection_version(status, SelectionSettings(rule, refit), space)

    assert version("test_score", "auto") == version("test_score", "train")
    assert version("cv", "auto") == version("cv", "all")
    assert version("cv", "train") != version("cv", "all")
    # As every version before the refit was one of the settings.
    assert version("cv", "train") == fingerprint(rule="cv", scores=[], others=[[], [], []])


def test_it_changes_with_repeats_where_the_standard_error_decides() -> None:
    status = Status({}, {}, {}, {}, {}, {}, {}, set())
    space = ParameterSpace([Axis("x", "X", simplest="low")])

    def version(rule: str, repeats: int | None) -> str:
        return selection_version(status, SelectionSettings(rule), space, repeats=repeats)

    assert version("one_standard_error", 3) != version("one_standard_error", None)
    assert version("within", 3) == version("within", None)


def test_it_changes_with_the_share_where_that_decides_and_with_the_metric() -> None:
    status, space = Status({}, {}, {}, {}, {}, {}, {}, set()), ParameterSpace([Axis("x", "X")])

    def version(rule: str, **settings: str) -> str:
        return selection_version(status, SelectionSettings(rule, **settings), space)

    assert len({version("within", within=share) for share in ("1%", "2%")}) == 2
    assert version("cv", within="1%") == version("cv", within="2%")
    assert version("cv", metric="balanced_accuracy") != version("cv")
