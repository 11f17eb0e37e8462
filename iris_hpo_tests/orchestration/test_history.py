"""The selections that are recorded, and each champion beside the one before."""

from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from iris_hpo.orchestration.history import SUCCESSION, past_selections, succession_of
from iris_hpo.orchestration.past_events import version_before
from iris_hpo.orchestration.record import CODE_VERSION, DATA_VERSION
from iris_hpo.orchestration.status import Status
from iris_hpo.selection.champion import Made
from iris_hpo.selection.estimates import Assessment, NoEstimate
from iris_hpo.selection.succession import Succession, compare_champions
from iris_hpo_tests.projects import KEYS, SpecProject, succeed


def report(project: SpecProject, asset: str, version: str, **metadata: Any) -> None:
    """Record an asset as if a run had made it."""
    project.instance.report_runless_asset_event(
        dg.AssetMaterialization(
            project.names.asset(asset),
            metadata=metadata,
            tags={DATA_VERSION: version, CODE_VERSION: "1"},
        )
    )


def select(project: SpecProject, champion: str, as_good: tuple[str, ...] | None) -> Succession:
    """Compare a champion with that of the selection that is recorded now."""
    study = project.study()
    made = SimpleNamespace(
        selection=SimpleNamespace(
            scoring="accuracy",
            champion=SimpleNamespace(candidate=SimpleNamespace(key=champion)),
        ),
        assessment=Assessment(NoEstimate("there are no folds"), as_good),
    )
    status = SimpleNamespace(score_cards=dict.fromkeys(KEYS))
    return succession_of(study, cast("Made", made), study.upstream(), cast("Status", status))


def test_a_selection_is_read_as_it_was_recorded(finished: SpecProject) -> None:
    study = finished.study()
    champion = study.champion()

    (past,) = past_selections(study)

    assert (past.champion, past.rule, past.scoring) == (champion.key, "test_score", "accuracy")
    assert past.score == champion.score
    assert past.estimate is not None
    assert champion.estimate is not None
    assert past.estimate == tuple(champion.estimate[name] for name in ("value", "low", "high"))
    assert past.data_version == study.data_digest
    assert past.split_version == finished.data_version("split")
    assert past.run_id in finished.run_ids()
    assert past.succession == Succession("first")


def test_each_champion_is_compared_with_the_one_before(searched: SpecProject) -> None:
    before = searched.study().champion().key

    succeed(searched.run("selection", selection={"rule": "cv"}))

    first, second = past_selections(searched.study())
    champion = searched.study().champion()
    assert (first.champion, second.champion) == (before, champion.key)
    assert (first.rule, second.rule) == ("test_score", "cv")
    assert champion.as_good is not None
    verdict = "indistinguishable" if before in champion.as_good else "better"
    assert second.succession == Succession("same" if before == champion.key else verdict, before)
    assert searched.metadata("selection")["beside_before"] == second.succession.sentence()
    assert [past.champion for past in past_selections(searched.study(), 1)] == [champion.key]


def test_the_champion_before_is_as_good_or_worse(searched: SpecProject) -> None:
    report(searched, "selection", "1", champion=KEYS[0], scoring="accuracy")

    assert select(searched, KEYS[1], KEYS[:2]).verdict == "indistinguishable"
    assert select(searched, KEYS[1], KEYS[1:]).verdict == "better"
    assert select(searched, KEYS[0], KEYS[:1]).verdict == "same"
    assert select(searched, KEYS[1], None).sentence() == (
        f"cannot be compared with {KEYS[0]}: there are no folds"
    )


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        (("raw_data", "split"), "other rows, as the data changed"),
        (("split",), "other rows, as the split changed"),
    ],
)
def test_champions_on_other_rows_are_not_compared(
    searched: SpecProject, sources: tuple[str, ...], reason: str
) -> None:
    versions = {name: searched.data_version(name) for name in sources}
    for name in sources:
        report(searched, name, "of that time")
    report(searched, "selection", "1", champion=KEYS[0], scoring="accuracy")
    for name, version in versions.items():
        report(searched, name, version)

    assert select(searched, KEYS[1], KEYS) == Succession.unknown(KEYS[0], reason)


@pytest.mark.parametrize(
    ("champion", "scoring", "reason"),
    [
        (
            "C9.0_G9.0",
            "accuracy",
            "it is no candidate any more, or has no score that is up to date",
        ),
        (KEYS[0], "f1_macro", "it was chosen by f1_macro"),
    ],
)
def test_a_champion_without_a_score_of_now_is_not_compared(
    searched: SpecProject, champion: str, scoring: str, reason: str
) -> None:
    report(searched, "selection", "1", champion=champion, scoring=scoring)

    assert select(searched, KEYS[1], KEYS) == Succession.unknown(champion, reason)


def test_a_selection_of_an_earlier_version_says_so(searched: SpecProject) -> None:
    report(searched, "selection", "1", champion=KEYS[0], rule="cv")

    past = past_selections(searched.study())[-1]

    assert past.succession.sentence() == (
        "cannot be compared with the one before: an earlier version made this selection"
    )
    assert (past.estimate, past.score, past.expectation) == (None, None, "")
    assert SUCCESSION not in searched.metadata("selection")


def test_the_first_selection_has_none_before(scored: SpecProject) -> None:
    assert select(scored, KEYS[0], KEYS) == Succession("first")
    assert version_before(scored.instance, scored.names.asset("split"), 0) is None


def test_sentences() -> None:
    assessment = Assessment(NoEstimate(""), ("B",))

    assert compare_champions("A", "B", assessment).sentence() == "better than A beyond chance"
    assert compare_champions("B", "B", assessment).sentence() == "B again"
