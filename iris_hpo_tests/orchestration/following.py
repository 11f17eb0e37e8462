"""What the daemon does with the ticks of a sensor: keeps the cursor, obeys the requests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from iris_hpo_tests.projects import SpecProject
from iris_hpo_tests.ticks import evaluate_tick


@dataclass
class Follower:
    """One of a project's sensors, evaluated on the real definitions.

    Attributes
    ----------
    cursor
        As the last tick left it.
    launched
        Run keys of the runs that were made; a key is never used twice.
    """

    project: SpecProject
    name: str
    cursor: str | None = None
    launched: list[str] = field(default_factory=list[str])

    def look(self) -> Any:
        """Evaluate a tick and obey nothing, but keep the cursor as the daemon does."""
        project = self.project
        tick = evaluate_tick(
            project.defs, project.instance, self.name, self.cursor, project.storage
        )
        self.cursor = tick.cursor
        return tick

    def refused(self) -> str:
        """Evaluate a tick that has to fail; give its message. The daemon keeps the cursor then."""
        cursor = self.cursor
        with pytest.raises(dg.Failure) as failure:
            self.look()
        assert self.cursor == cursor
        return str(failure.value.description)

    def tick(self) -> list[dg.RunRequest]:
        """Evaluate a tick and do what it asks for; give the run requests that were new."""
        tick = self.look()
        self.register(tick.dynamic_partitions_requests or ())
        new = [one for one in tick.run_requests or () if one.run_key not in self.launched]
        for request in new:
            self.launched.append(str(request.run_key))
            self.project.run(
                *(key.path[-1] for key in request.asset_selection or [dg.AssetKey("selection")]),
                tags=request.tags,
            )
        return new

    def register(
        self,
        requests: Sequence[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest],
    ) -> None:
        """Add and delete partitions."""
        instance = self.project.instance
        for request in requests:
            name = request.partitions_def_name
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                instance.add_dynamic_partitions(name, list(request.partition_keys))
                continue
            for key in request.partition_keys:
                instance.delete_dynamic_partition(name, key)


def assets_of(request: dg.RunRequest) -> list[str]:
    """The assets that a run request selects, in its order."""
    return [key.to_user_string() for key in request.asset_selection or ()]


def ends_of(request: dg.RunRequest) -> tuple[str | None, str | None]:
    """The ends of a run request's range."""
    return (
        request.tags.get("dagster/asset_partition_range_start"),
        request.tags.get("dagster/asset_partition_range_end"),
    )


def partition_requests(tick: Any) -> dict[tuple[str, str], list[str]]:
    """Keys that a tick asks to add and delete, by action and partitions."""
    return {
        (
            "add" if isinstance(request, dg.AddDynamicPartitionsRequest) else "delete",
            request.partitions_def_name,
        ): list(request.partition_keys)
        for request in tick.dynamic_partitions_requests or ()
    }


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The SQL statements that are sent meanwhile."""
    sent: list[str] = []

    def note(*details: Any) -> None:
        sent.append(details[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
