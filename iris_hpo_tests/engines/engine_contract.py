"""What all engines promise, as tests; and what tests of engines look at."""

from itertools import pairwise

import pytest

from iris_hpo.engines import Done, Failed, Limits
from iris_hpo_tests.engines import engine_work

ONCE = Limits(retries=0)


def all_of(outcomes):
    return [outcome for together in outcomes for outcome in together]


def results_of(outcomes):
    return {one.item: one.result for one in outcomes if isinstance(one, Done)}


def reasons_of(outcomes):
    return {one.item: one.reason for one in outcomes if isinstance(one, Failed)}


def attempts_at(log):
    return log.stat().st_size if log.exists() else 0


def check_that_neighbours_stay_together(engine, folder):
    """With two workers; only what would keep one waiting at the end is taken from the other."""
    items = [(folder, 0.05 + number / 1e9) for number in range(60)]

    workers = results_of(all_of(engine.map(engine_work.tell_process_and_sleep, items, ONCE)))

    in_order = [workers[item] for item in items]
    assert len(set(in_order)) == 2
    moves = sum(before != after for before, after in pairwise(in_order))
    assert moves <= 8, "one by one, or chunk by chunk, it would be tens"


class EngineContract:
    """Of every engine; a subclass has the fixture ``engine``."""

    def test_an_item_that_fails_costs_no_other(self, engine):
        words = ["a", "wrong b", "c", "broken d", "e", "wrong f"]

        outcomes = all_of(engine.map(engine_work.do_as_told, words, ONCE))

        assert len(outcomes) == 6
        assert results_of(outcomes) == {"a": "A", "c": "C", "e": "E"}
        assert reasons_of(outcomes) == {
            "wrong b": "wrong b is no candidate",
            "broken d": "OSError: the disk is full",
            "wrong f": "wrong f is no candidate",
        }

    def test_the_machines_failures_are_tried_again_and_the_items_own_are_not(
        self, engine, tmp_path
    ):
        once, always, never = (tmp_path / name for name in ("once", "always", "never"))

        outcomes = all_of(
            engine.map(
                engine_work.fail_first, [(once, 1), (always, 99), (never, 0)], Limits(retries=1)
            )
        )

        assert results_of(outcomes) == {(once, 1): 2, (never, 0): 1}
        assert reasons_of(outcomes) == {(always, 99): "OSError: attempt 2 failed"}
        assert [attempts_at(log) for log in (once, always, never)] == [2, 2, 1]

    @pytest.mark.filterwarnings("always")
    def test_warnings_are_counted_and_not_printed(self, engine, capfd):
        outcomes = all_of(engine.map(engine_work.warn, range(3), ONCE))

        assert len(outcomes) == 3
        for outcome in outcomes:
            ((line, times),) = outcome.warned.items()
            assert times == 2
            assert line.startswith(f"{engine_work.__file__}:")
            assert line.endswith(r": FutureWarning: old \x1b[31m news")
        assert "news" not in "".join(capfd.readouterr())

    def test_outcomes_come_as_they_finish(self, engine, tmp_path):
        """The second item waits for what only happens after the first outcome has come."""
        sign = tmp_path / "sign"

        outcomes = engine.map(engine_work.wait_for, [None, sign], Limits())

        assert next(outcomes) == [Done(None, "seen")]
        sign.touch()
        assert list(outcomes) == [[Done(sign, "seen")]]

    def test_an_item_computes_on_one_thread(self, engine):
        engine_work.count_threads(0)  # the libraries are loaded, as when a search begins

        assert all_of(engine.map(engine_work.count_threads, [0], Limits())) == [Done(0, 1)]


class WorkersContract(EngineContract):
    """Of every engine with worker processes."""

    def test_many_more_items_than_workers_each_have_one_outcome(self, engine):
        together = list(engine.map(engine_work.square, range(1_000), Limits()))
        outcomes = all_of(together)

        assert len(outcomes) == 1_000
        assert results_of(outcomes) == {number: number * number for number in range(1_000)}
        assert len(together) < 500  # short ones do not pay for a message each

    def test_a_result_that_cannot_be_sent_back_costs_its_own_item(self, engine):
        """Every other item's: they travel in chunks together."""
        outcomes = all_of(engine.map(engine_work.hold_a_lock_if_odd, range(40), ONCE))

        assert len(outcomes) == 40
        assert results_of(outcomes) == {number: number for number in range(0, 40, 2)}
        reasons = reasons_of(outcomes)
        assert set(reasons) == set(range(1, 40, 2))
        assert all("pickle" in reason and "\n" not in reason for reason in reasons.values())

    def test_items_that_kill_their_workers_are_found(self, engine, tmp_path):
        killer, victim = (tmp_path / "killer", 99), (tmp_path / "victim", 1)
        others = [(tmp_path / f"other {number}", 0) for number in range(10)]
        items = [*others[:3], killer, *others[3:6], victim, *others[6:]]

        outcomes = all_of(engine.map(engine_work.die_first, items, Limits(retries=1)))

        assert len(outcomes) == len(items)
        assert reasons_of(outcomes) == {
            killer: "its worker process died 2 times (killed, or out of memory)"
        }
        assert set(results_of(outcomes)) == {victim, *others}
        assert results_of(outcomes)[victim] >= 2

    def test_a_worker_dies_once_where_nothing_is_tried_again(self, engine, tmp_path):
        killer = (tmp_path / "killer", 99)

        outcomes = all_of(engine.map(engine_work.die_first, [killer], ONCE))

        assert outcomes == [
            Failed(killer, "its worker process died 1 time (killed, or out of memory)")
        ]
        assert attempts_at(killer[0]) == 1
