"""Registered candidates and parameter files: of one mind, and never at a person's cost."""

from itertools import combinations, pairwise

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iris_hpo.iris import iris_search
from iris_hpo.orchestration.names import Names
from iris_hpo.orchestration.partitions import (
    PartitionChange,
    apply_change,
    change_requests,
    pending_change,
    plan_change,
    registered_keys,
)
from iris_hpo.orchestration.ranges import contiguous_ranges, range_tags
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import Study
from iris_hpo_tests.projects import KEYS, SpecProject, succeed

NAMES = Names("", "c_gamma")
NOTES = "c_gamma_from_files"
FEW = st.lists(st.sampled_from("abcdefgh"), unique=True)


@st.composite
def choices(draw: st.DrawFn, most: int = 40) -> tuple[list[str], list[str]]:
    """Registered keys in any order, and some of them in any order."""
    count = draw(st.integers(1, most))
    registered = draw(st.permutations([f"k{number}" for number in range(count)]))
    chosen = draw(st.lists(st.sampled_from(registered), unique=True, min_size=1))
    return list(registered), chosen


def runs_of(registered: list[str], chosen: list[str]) -> int:
    """How many contiguous stretches chosen keys make."""
    places = sorted(registered.index(key) for key in chosen)
    return 1 + sum(later - earlier > 1 for earlier, later in pairwise(places))


class TestContiguousRanges:
    @given(choices(), st.integers(1, 12))
    def test_they_cover_all_keys_in_few_stretches(
        self, choice: tuple[list[str], list[str]], at_most: int
    ) -> None:
        registered, chosen = choice
        ranges = contiguous_ranges(chosen, registered, at_most)

        covered = [key for keys in ranges for key in keys]
        assert set(chosen) <= set(covered)
        assert len(covered) == len(set(covered))
        assert covered == [key for key in registered if key in set(covered)], "in order"
        for keys in ranges:
            start = registered.index(keys[0])
            assert list(keys) == registered[start : start + len(keys)], "contiguous"
            assert {keys[0], keys[-1]} <= set(chosen), "no longer than it has to be"
        assert len(ranges) == min(at_most, runs_of(registered, chosen))

    @given(choices())
    def test_they_are_exact_when_enough_are_allowed(
        self, choice: tuple[list[str], list[str]]
    ) -> None:
        registered, chosen = choice
        ranges = contiguous_ranges(chosen, registered, len(registered))
        assert {key for keys in ranges for key in keys} == set(chosen)

    @given(choices(most=9), st.integers(1, 4))
    @settings(max_examples=60)
    def test_no_other_choice_bridges_fewer(
        self, choice: tuple[list[str], list[str]], at_most: int
    ) -> None:
        registered, chosen = choice
        places = sorted(registered.index(key) for key in chosen)
        best = min(
            sum(
                places[end - 1] - places[start] + 1
                for start, end in pairwise([0, *cuts, len(places)])
            )
            for count in range(at_most)
            for cuts in combinations(range(1, len(places)), count)
        )
        ranges = contiguous_ranges(chosen, registered, at_most)
        assert sum(len(keys) for keys in ranges) == best

    def test_smallest_gaps_are_bridged_first(self) -> None:
        registered = list("abcdefghij")
        assert contiguous_ranges(["a", "c", "g", "j"], registered, 3) == [
            ("a", "b", "c"),
            ("g",),
            ("j",),
        ]
        assert contiguous_ranges(["a", "c", "g", "j"], registered, 2) == [
            ("a", "b", "c"),
            ("g", "h", "i", "j"),
        ]

    def test_nothing_needs_no_range(self) -> None:
        assert contiguous_ranges([], list("abc"), 8) == []

    def test_short_gaps_are_bridged(self) -> None:
        registered = list("abcdefghij")
        assert contiguous_ranges(["a", "c", "g", "j"], registered, 8, bridged=2) == [
            ("a", "b", "c"),
            ("g", "h", "i", "j"),
        ]


def test_a_range_s_tags_are_dagster_s_own(prepared: SpecProject) -> None:
    succeed(prepared.run("models", tags=range_tags(KEYS[2:5])))
    assert set(prepared.by_partition("models")) == set(KEYS[2:5])


class TestPlanChange:
    def test_what_files_name_and_nobody_registered_is_added_in_their_order(self) -> None:
        assert plan_change("dacb", "a", "a") == PartitionChange(("d", "c", "b"), ())

    def test_what_files_registered_and_no_longer_name_is_removed(self) -> None:
        assert plan_change("a", "abc", "abc") == PartitionChange((), ("b", "c"))

    def test_what_a_person_added_stays(self) -> None:
        assert not plan_change("a", "ab", "a")

    def test_what_a_person_added_stays_even_after_files_named_it_too(self) -> None:
        assert not plan_change("ab", "ab", "a")
        assert not plan_change("a", "ab", "a")

    def test_a_note_of_what_is_gone_is_removed_too(self) -> None:
        assert plan_change("a", "a", "ab") == PartitionChange((), ("b",))

    def test_nothing_to_do_is_false(self) -> None:
        assert not plan_change("ab", "ba", "ab")
        assert plan_change("ab", "a", "a")
        assert plan_change("a", "ab", "ab")

    @given(wanted=FEW, registered=FEW, notes=FEW)
    def test_after_the_change_all_agree(
        self, wanted: list[str], registered: list[str], notes: list[str]
    ) -> None:
        change = plan_change(wanted, registered, notes)
        assert set(change.added).isdisjoint(registered)
        assert set(change.removed) <= set(notes), "only what files registered"
        assert set(change.removed).isdisjoint(wanted)

        after = [key for key in (*registered, *change.added) if key not in change.removed]
        noted = [key for key in (*notes, *change.added) if key not in change.removed]
        assert set(wanted) <= set(after)
        assert not plan_change(wanted, after, noted), "once is enough"
        by_hand = set(registered) - set(notes)
        assert by_hand <= set(after)


class Listing(Study):
    """Lists candidates that no file names."""

    def __init__(self, instance: dg.DagsterInstance, keys: str = "") -> None:
        super().__init__(iris_search(), instance, Storage())
        self._keys = list(keys)

    @property
    def listed_keys(self) -> list[str]:
        return self._keys


class TestOnAnInstance:
    @pytest.fixture
    def registered(self, instance: dg.DagsterInstance) -> dg.DagsterInstance:
        """Files registered a, b and c; a person added x."""
        apply_change(Listing(instance), PartitionChange(("a", "b", "c"), ()))
        instance.add_dynamic_partitions("c_gamma", ["x"])
        return instance

    def follow(self, instance: dg.DagsterInstance, wanted: str) -> list[str]:
        """Bring the instance in line with files; give the registered keys."""
        study = Listing(instance, wanted)
        apply_change(study, pending_change(study))
        assert not pending_change(study)
        return list(registered_keys(study))

    def test_added_keys_come_last_and_in_order(self, registered: dg.DagsterInstance) -> None:
        assert self.follow(registered, "eabcd") == ["a", "b", "c", "x", "e", "d"]

    def test_dropped_keys_go_and_hand_added_ones_stay(self, registered: dg.DagsterInstance) -> None:
        assert self.follow(registered, "b") == ["b", "x"]
        assert self.follow(registered, "") == ["x"]

    def test_deleted_keys_can_come_back_and_go_again(self, registered: dg.DagsterInstance) -> None:
        self.follow(registered, "ab")
        assert self.follow(registered, "abc") == ["a", "b", "x", "c"]
        assert self.follow(registered, "ab") == ["a", "b", "x"]

    def test_a_key_that_a_person_deleted_comes_back_while_files_name_it(
        self, registered: dg.DagsterInstance
    ) -> None:
        registered.delete_dynamic_partition("c_gamma", "b")
        assert self.follow(registered, "abc") == ["a", "c", "x", "b"]
        assert self.follow(registered, "ac") == ["a", "c", "x"]

    def test_a_person_may_add_what_files_dropped_and_a_person_deleted(
        self, registered: dg.DagsterInstance
    ) -> None:
        """The files' claim on a key ends when they drop it, whoever deleted it first."""
        registered.delete_dynamic_partition("c_gamma", "b")
        assert self.follow(registered, "ac") == ["a", "c", "x"]
        registered.add_dynamic_partitions("c_gamma", ["b"])
        assert self.follow(registered, "ac") == ["a", "c", "x", "b"]

    def test_hand_added_keys_stay_after_files_named_and_dropped_them(
        self, registered: dg.DagsterInstance
    ) -> None:
        self.follow(registered, "abcx")
        assert self.follow(registered, "a") == ["a", "x"]

    def test_a_crash_after_the_note_is_made_good(self, instance: dg.DagsterInstance) -> None:
        instance.add_dynamic_partitions(NOTES, ["a"])
        assert self.follow(instance, "a") == ["a"]
        assert self.follow(instance, "") == []

    def test_requests_of_a_sensor_do_the_same(self, registered: dg.DagsterInstance) -> None:
        change = pending_change(Listing(registered, "cde"))
        for request in change_requests(NAMES, change):
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                registered.add_dynamic_partitions(
                    request.partitions_def_name, list(request.partition_keys)
                )
            else:
                for key in request.partition_keys:
                    registered.delete_dynamic_partition(request.partitions_def_name, key)
        assert registered.get_dynamic_partitions("c_gamma") == ["c", "x", "d", "e"]
        assert not pending_change(Listing(registered, "cde"))

    def test_requests_never_leave_a_candidate_that_nobody_owns(self) -> None:
        """Whatever comes last may be lost in a crash; a note without a candidate does no harm."""
        requests = change_requests(NAMES, PartitionChange(("a",), ("b",)))
        order = [(type(request).__name__[:3], request.partitions_def_name) for request in requests]
        assert order.index(("Add", NOTES)) < order.index(("Add", "c_gamma"))
        assert order.index(("Del", "c_gamma")) < order.index(("Del", NOTES))

    def test_no_change_asks_for_nothing(self) -> None:
        assert change_requests(NAMES, PartitionChange((), ())) == []


class TestByParameters:
    """The asset does the same as the sensor, for those who materialise it by hand."""

    def test_hand_added_candidates_survive(self, prepared: SpecProject) -> None:
        prepared.instance.add_dynamic_partitions("c_gamma", ["C1.0_G1.0"])
        prepared.write_axis("c", 0.5)
        prepared.materialize_sources()
        assert prepared.registered() == [KEYS[0], KEYS[1], "C1.0_G1.0"]

    def test_results_of_a_deleted_candidate_live_again_when_it_comes_back(
        self, scored: SpecProject
    ) -> None:
        scored.write_axis("c", 0.5, 8)
        succeed(scored.run("parameters"))
        assert scored.partition_status("models")["materialized"] == set(KEYS[:4])

        scored.write_axis("c", 0.5, 8, 128)
        succeed(scored.run("parameters"))
        assert scored.partition_status("models")["materialized"] == set(KEYS)
        files = scored.files("models")
        succeed(scored.run("models", "scores", keys=KEYS[4:]))
        assert scored.files("models") == files, "nothing is trained"
