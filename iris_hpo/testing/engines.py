"""What every engine promises; and what one with worker processes promises beside that."""

import time
import warnings
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from iris_hpo.engines import Done, Failed, Limits
from iris_hpo.testing import engine_work
from iris_hpo.testing.engine_draws import DrawContract, Outcome, WorkersDrawContract

ONCE: Final = Limits(retries=0)
"""Nothing is tried again."""


def all_of(outcomes: Iterable[Sequence[Outcome]]) -> list[Outcome]:
    """Collect the outcomes of a whole run."""
    return [outcome for together in outcomes for outcome in together]


def results_of(outcomes: Iterable[Outcome]) -> dict[Any, Any]:
    """Results of the items that succeeded."""
    return {outcome.item: outcome.result for outcome in outcomes if isinstance(outcome, Done)}


def reasons_of(outcomes: Iterable[Outcome]) -> dict[Any, str]:
    """Reasons of the items that failed."""
    return {outcome.item: outcome.reason for outcome in outcomes if isinstance(outcome, Failed)}


def attempts_at(log: Path) -> int:
    """Number of attempts that the work has logged."""
    return log.stat().st_size if log.exists() else 0


class EngineContract(DrawContract):
    """What every engine promises."""

    def test_no_items_have_no_outcomes(self) -> None:
        """Without items nothing is yielded."""
        assert list(self.make_engine().map(engine_work.square, [], Limits())) == []

    def test_an_item_that_fails_costs_no_other(self) -> None:
        """Every item has one outcome; an exception is that of its own item, in one line."""
        words = ["a", "wrong b", "x", "broken d", "e", "wrong f"]

        outcomes = all_of(self.make_engine().map(engine_work.do_as_word_says, words, ONCE))

        assert len(outcomes) == 6
        assert results_of(outcomes) == {"a": "A", "x": "X", "e": "E"}
        assert reasons_of(outcomes) == {
            "wrong b": "wrong b is no candidate",
            "broken d": "OSError: the disk is full",
            "wrong f": "wrong f is no candidate",
        }

    def test_an_error_that_ends_the_run_is_marked(self) -> None:
        """A `WholeRunError` is an outcome too, which says that all others would fail by it."""
        outcomes = all_of(self.make_engine().map(engine_work.end_the_run, [1], Limits(retries=3)))

        assert outcomes == [Failed(1, "nothing can be written", ends_run=True)]

    def test_failures_of_the_machine_are_retried_and_those_of_the_item_are_not(
        self, tmp_path: Path
    ) -> None:
        """`Limits.retries` counts for any error but a `CandidateError`."""
        once, always, never = (tmp_path / name for name in ("once", "always", "never"))
        wrong = tmp_path / "wrong"
        engine = self.make_engine()

        outcomes = all_of(
            engine.map(
                engine_work.fail_first, [(once, 1), (always, 99), (never, 0)], Limits(retries=1)
            )
        )
        refused = all_of(engine.map(engine_work.be_wrong, [wrong], Limits(retries=1)))

        assert results_of(outcomes) == {(once, 1): 2, (never, 0): 1}
        assert reasons_of(outcomes) == {(always, 99): "OSError: attempt 2 failed"}
        assert [attempts_at(log) for log in (once, always, never)] == [2, 2, 1]
        assert refused == [Failed(wrong, "never any better")]
        assert attempts_at(wrong) == 1

    def test_warnings_are_counted_and_not_printed(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Each outcome has the warnings of its item, one line each, with their number."""
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            outcomes = all_of(self.make_engine().map(engine_work.warn, range(3), ONCE))

        assert len(outcomes) == 3
        for outcome in outcomes:
            assert len(outcome.warned) == 1
            ((line, times),) = outcome.warned.items()
            assert times == 2
            assert line.startswith(f"{engine_work.__file__}:")
            assert line.endswith(r": FutureWarning: old \x1b[31m news")
        assert "news" not in "".join(capfd.readouterr())

    def test_outcomes_come_as_they_finish(self, tmp_path: Path) -> None:
        """The second item waits for what only happens after the first outcome has come."""
        sign = tmp_path / "sign"

        outcomes = self.make_engine().map(engine_work.wait_for, [None, sign], Limits())

        assert next(outcomes) == [Done(None, "seen")]
        sign.touch()
        assert list(outcomes) == [[Done(sign, "seen")]]

    def test_closing_early_stops_the_work(self, tmp_path: Path) -> None:
        """Items that have not begun are not worked on after the generator is closed."""
        sign, logs = tmp_path / "sign", [tmp_path / f"log {number}" for number in range(30)]
        items = [(None, tmp_path / "first"), *((sign, log) for log in logs)]
        outcomes = self.make_engine().map(engine_work.log_and_wait, items, ONCE)
        assert next(outcomes) == [Done(items[0], "seen")]

        outcomes.close()
        sign.touch()
        time.sleep(0.2)

        assert sum(map(attempts_at, logs)) < len(logs)

    def test_an_item_computes_on_one_thread(self) -> None:
        """Libraries use one thread per item, so that every engine computes the same."""
        engine_work.count_threads(0)  # the libraries are loaded, as when a search begins

        assert all_of(self.make_engine().map(engine_work.count_threads, [0], Limits())) == [
            Done(0, 1)
        ]


class WorkersContract(EngineContract, WorkersDrawContract):
    """What an engine with worker processes promises; its engine has two workers.

    Attributes
    ----------
    time_limit
        Seconds that an item may take in the test of time limits.
    """

    time_limit: float = 1.5

    def test_many_more_items_than_workers_each_have_one_outcome(self) -> None:
        """Items that take no time travel in chunks."""
        together = list(self.make_engine().map(engine_work.square, range(1_000), Limits()))
        outcomes = all_of(together)

        assert len(outcomes) == 1_000
        assert results_of(outcomes) == {number: number * number for number in range(1_000)}
        assert len(together) < 500  # short ones do not pay for a message each

    def test_neighbours_go_to_one_worker(self, tmp_path: Path) -> None:
        """Only what would keep one waiting at the end is taken from the other."""
        items = [(tmp_path, 0.05 + number / 1e9) for number in range(60)]

        workers = results_of(
            all_of(self.make_engine().map(engine_work.note_process_and_sleep, items, ONCE))
        )

        in_order = [workers[item] for item in items]
        assert len(set(in_order)) == 2
        moves = sum(before != after for before, after in pairwise(in_order))
        assert moves <= 8, "one by one, or chunk by chunk, it would be tens"

    def test_a_result_that_cannot_be_sent_back_costs_its_own_item(self) -> None:
        """Here that of every other item; they travel in chunks together."""
        outcomes = all_of(self.make_engine().map(engine_work.hold_a_lock_if_odd, range(40), ONCE))

        assert len(outcomes) == 40
        assert results_of(outcomes) == {number: number for number in range(0, 40, 2)}
        reasons = reasons_of(outcomes)
        assert set(reasons) == set(range(1, 40, 2))
        assert all("pickle" in reason and "\n" not in reason for reason in reasons.values())

    def test_items_that_kill_their_workers_are_found(self, tmp_path: Path) -> None:
        """No other item fails, and one whose worker died once is tried again."""
        killer, victim = (tmp_path / "killer", 99), (tmp_path / "victim", 1)
        others = [(tmp_path / f"other {number}", 0) for number in range(10)]
        items = [*others[:3], killer, *others[3:6], victim, *others[6:]]

        outcomes = all_of(self.make_engine().map(engine_work.die_first, items, Limits(retries=1)))

        assert len(outcomes) == len(items)
        assert reasons_of(outcomes) == {
            killer: "its worker process died 2 times (killed, or out of memory)"
        }
        assert set(results_of(outcomes)) == {victim, *others}
        assert results_of(outcomes)[victim] >= 2

    def test_a_worker_dies_once_where_nothing_is_tried_again(self, tmp_path: Path) -> None:
        """Without retries an item that kills its worker has one attempt."""
        killer = (tmp_path / "killer", 99)

        outcomes = all_of(self.make_engine().map(engine_work.die_first, [killer], ONCE))

        assert outcomes == [
            Failed(killer, "its worker process died 1 time (killed, or out of memory)")
        ]
        assert attempts_at(killer[0]) == 1

    def test_an_endless_item_is_ended_and_no_other_is_blamed(self, tmp_path: Path) -> None:
        """Neither those that are so quick that they travel in chunks, nor the slower ones.

        Each takes less than the limit, all of them together take longer.
        """
        quick = [(tmp_path, number / 1e9) for number in range(80)]
        slower = [(tmp_path, 0.1 + number / 1e9) for number in range(20)]
        endless = (tmp_path, 600.0)
        items = [*quick[:40], endless, *quick[40:], *slower]

        outcomes = all_of(
            self.make_engine().map(
                engine_work.note_process_and_sleep, items, Limits(timeout=self.time_limit)
            )
        )

        assert len(outcomes) == len(items)
        assert reasons_of(outcomes) == {
            endless: f"did not finish within {self.time_limit:g} s (candidate_timeout)"
        }
        assert set(results_of(outcomes)) == {*quick, *slower}
