"""Contracts fail for parts that break them, by the tests of what is broken."""

import inspect
import itertools
from collections.abc import Callable, Iterator

import pytest

from iris_hpo_tests.testing import broken


@pytest.mark.parametrize(
    ("part", "tests"),
    [
        (broken.LosesFailures, ["an_item_that_fails_costs_no_other"]),
        (broken.LosesFailures, ["an_error_that_ends_the_run_is_marked"]),
        (broken.FailsTogether, ["an_item_that_fails_costs_no_other"]),
        (
            broken.RetriesAll,
            ["failures_of_the_machine_are_retried_and_those_of_the_item_are_not"],
        ),
        (
            broken.RetriesNothing,
            ["failures_of_the_machine_are_retried_and_those_of_the_item_are_not"],
        ),
        (broken.WaitsForAll, ["outcomes_come_as_they_finish"]),
        (broken.ForgetsWarnings, ["warnings_are_counted_and_not_printed"]),
        (broken.UsesAllCores, ["an_item_computes_on_one_thread"]),
        (broken.TakesAhead, ["items_are_taken_when_earlier_ones_have_outcomes"]),
        (broken.GivesUp, ["a_supply_that_waits_for_outcomes_is_asked_again"]),
        (broken.GoesOn, ["closing_early_stops_the_work"]),
        (broken.LeadsOutside, ["a_name_that_leads_out_of_the_store_is_refused"]),
        (broken.WritesInParts, ["a_reader_sees_all_of_a_file_or_nothing"]),
        (broken.ListsAsItLikes, ["what_is_written_is_read_and_listed_until_it_is_deleted"]),
        (broken.WritesTheFirst, ["files_written_together_are_all_there"]),
        (broken.InventsFiles, ["a_missing_file_is_named", "what_is_missing_is_no_mismatch"]),
        (
            broken.LosesTheLastByte,
            ["a_file_is_read_if_it_has_its_digest"],
        ),
        (broken.ProposesNone, ["it_proposes_candidates"]),
        (broken.ProposesTexts, ["it_proposes_candidates"]),
        (broken.ProposesAnotherKey, ["its_candidates_are_of_the_space"]),
        (broken.ProposesByChance, ["it_proposes_the_same_whenever_it_is_asked"]),
        (broken.Leaks, ["each_row_is_in_one_part_at_most"]),
        (broken.HasNoTest, ["each_row_is_in_one_part_at_most"]),
        (broken.CountsFromOne, ["each_row_is_in_one_part_at_most"]),
        (broken.LearnsOneClass, ["there_is_something_to_predict"]),
        (broken.MiscountsFolds, ["there_are_as_many_folds_as_it_says"]),
        (broken.FoldsOfAllRows, ["each_training_row_is_in_one_part_of_a_fold_at_most"]),
        (broken.FoldsThatLeak, ["each_training_row_is_in_one_part_of_a_fold_at_most"]),
        (broken.DividesByChance, ["the_same_data_has_the_same_rows_and_folds"]),
        (broken.DescribesItselfByChance, ["its_identity_is_json_and_always_the_same"]),
        (broken.HasNoScoring, ["its_task_and_its_scoring_are_known"]),
        (broken.CountsItsObjectives, ["its_identity_is_json_and_always_the_same"]),
        (broken.ScoresNothing, ["its_scores_are_finite_numbers"]),
        (broken.ScoresOneFold, ["its_scores_are_finite_numbers"]),
        (broken.TrainsByChance, ["the_same_candidate_gives_the_same_model_and_score"]),
        (broken.Remembers, ["the_same_candidate_gives_the_same_model_and_score"]),
        (broken.KnowsItsModels, ["a_model_has_its_score_in_another_process_too"]),
        (broken.PredictsAll, ["its_predictions_are_those_of_the_rows"]),
        (broken.PredictsInfinity, ["its_predictions_are_those_of_the_rows"]),
        (broken.PredictsCodes, ["its_predictions_are_those_of_the_rows"]),
        (broken.PredictsOtherClasses, ["its_predictions_are_those_of_the_rows"]),
        (broken.RendersNothing, ["it_makes_files_of_bytes"]),
        (broken.RendersTexts, ["it_makes_files_of_bytes"]),
        (broken.RendersTheLeaderboard, ["the_names_of_its_files_are_free"]),
        (broken.RendersByChance, ["the_same_selection_gives_the_same_bytes"]),
        (broken.NeedsFolds, ["it_makes_files_of_bytes"]),
    ],
    ids=lambda value: getattr(value, "__name__", "-"),
)
def test_what_is_broken_is_noticed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, part: type, tests: list[str]
) -> None:
    """Without a run of pytest for each, which would take ten times as long."""
    monkeypatch.setattr("iris_hpo.testing.engine_work.PATIENCE_SECONDS", 0.1)
    for name in tests:
        test = getattr(part(), f"test_{name}")
        with pytest.raises((AssertionError, pytest.fail.Exception, ValueError)):
            run_all_cases(test, request)


def run_all_cases(test: Callable[..., None], request: pytest.FixtureRequest) -> None:
    for arguments in cases(test):
        fixtures = inspect.signature(test).parameters.keys() - arguments.keys()
        test(**arguments, **{name: request.getfixturevalue(name) for name in fixtures})


def cases(test: Callable[..., None]) -> Iterator[dict[str, object]]:
    """Yield the arguments of each case of a test, as pytest makes them of its marks."""
    marks = [mark.args for mark in getattr(test, "pytestmark", ())]
    for values in itertools.product(*(values for _, values in marks)):
        yield {name: value for (name, _), value in zip(marks, values, strict=True)}
