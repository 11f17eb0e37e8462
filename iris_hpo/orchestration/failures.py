"""End a run or a tick early, after a user's mistake or an interrupt, without retries."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final

import dagster as dg

from iris_hpo import interrupts
from iris_hpo.database_messages import with_advice
from iris_hpo.errors import AwayError, EndOfCommandError, InputError
from iris_hpo.interrupts import Interrupt, as_interrupt
from iris_hpo.machine import lack, lack_of_temporary_room
from iris_hpo.orchestration.failed_candidates import FAILED_BEFORE_END
from iris_hpo.orchestration.names import failure
from iris_hpo.orchestration.record import as_json
from iris_hpo.store.digests import StoreGoneError, StoreReadError, StoreWriteError

INTERRUPTED: Final = "iris_hpo/interrupted"
"""Tag of a run that a signal stopped. It was not terminated in the UI: its work is still wanted."""

_MESSAGE: Final = "The process of this run was interrupted."


def explain_recorded(error: Any) -> str:
    """Give the message of an error that Dagster has recorded for a run."""
    if error.cls_name == EndOfCommandError.__name__:  # complete by itself, unlike its cause
        return error.message.partition(": ")[2].strip()
    message = (error.cause or error).message
    return with_advice(message.partition("\n[SQL:")[0].strip())


@contextmanager
def user_errors() -> Generator[None]:
    """Turn an `InputError` into a `dagster.Failure` with the same message; cancel on interrupts.

    An error by what the machine lacks becomes a failure that is worth another attempt.
    """
    try:
        with as_interrupt():
            yield
    except (StoreGoneError, StoreReadError, StoreWriteError, AwayError) as error:
        raise failure(str(error), {FAILED_BEFORE_END: as_json({})}) from None
    except InputError as error:
        raise failure(str(error)) from None
    except dg.Failure:
        raise
    except Exception as error:
        problem = lack_of_temporary_room(error) or lack(error)
        if problem is None:
            raise
        raise failure(problem, {FAILED_BEFORE_END: as_json({})}) from error
    except Interrupt:
        context = _current_context()
        if context is not None:
            _begin_cancelling(context.instance, context.run.run_id)
        # The multiprocess executor cancels a run by the name of this class, and fails it by others.
        raise KeyboardInterrupt from None


@contextmanager
def cancelled_if_interrupted(instance: dg.DagsterInstance, run_id: str) -> Generator[None]:
    """Record a run of this process as cancelled if the block is interrupted, at any point.

    Raises
    ------
    Interrupt
        If Dagster has recorded that the run was stopped, without raising an interrupt.
    """
    try:
        yield
    except BaseException:
        _cancel_unfinished(instance, run_id)
        raise
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_success:
        if interrupts.received() is not None:
            _cancel_unfinished(instance, run_id)
            raise Interrupt
        if run.status == dg.DagsterRunStatus.CANCELED:
            raise Interrupt


def _cancel_unfinished(instance: dg.DagsterInstance, run_id: str) -> None:
    """Cancel a run that was stopped between its ops; Dagster records failure, or none at all."""
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status not in (
        dg.DagsterRunStatus.CANCELED,
        dg.DagsterRunStatus.SUCCESS,
    ):
        instance.add_run_tags(run_id, {INTERRUPTED: "true"})
        instance.report_run_canceled(run, _MESSAGE)
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _begin_cancelling(instance: dg.DagsterInstance, run_id: str) -> None:
    """Make Dagster record an interrupted run as cancelled, not as failed."""
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status == dg.DagsterRunStatus.STARTED:
        instance.add_run_tags(run_id, {INTERRUPTED: "true"})
        instance.report_run_canceling(run, _MESSAGE)


def _current_context() -> dg.OpExecutionContext | None:
    with suppress(dg.DagsterInvariantViolationError):
        return dg.OpExecutionContext.get()
    return None
