"""How many candidates a second an event log records, however many workers there are.

    python -m iris_hpo_tests.scale.events_per_second [candidates]

Prints one JSON object: candidates a second, a model and a score each, on the project's SQLite event
log and on a PostgreSQL server of this machine. More workers than this do not make a run faster.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

from iris_hpo.event_log.postgres import KeptPostgresEventLog
from iris_hpo.event_log.sqlite import KeptSqliteEventLog
from iris_hpo_tests.scale.postgres import SETTINGS, postgres_server

SQLITE = Path(__file__).resolve().parents[2] / ".dagster" / "dagster.yaml"


def candidates_per_second(home: Path, settings: Path, candidates: int) -> float:
    """Record that many candidates as a run does, in groups of ten, on the instance of a folder."""
    shutil.copy(settings, home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    seconds: list[float] = []

    @dg.op
    def record(context: dg.OpExecutionContext) -> None:
        storage = context.instance.event_log_storage
        assert isinstance(storage, (KeptSqliteEventLog, KeptPostgresEventLog))
        started = time.perf_counter()
        for group in _groups([f"C{number}.0_G1.0" for number in range(candidates)], 10):
            for asset in ("models", "scores"):
                events = [_event(asset, key) for key in group]
                with storage.batched():
                    for event in events:
                        context.log_event(event)
        seconds.append(time.perf_counter() - started)

    @dg.job(executor_def=dg.in_process_executor)
    def recording() -> None:
        record()

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        assert recording.execute_in_process(instance=instance, run_config=quiet).success
    return candidates / seconds[0]


def _event(asset: str, key: str) -> dg.AssetMaterialization:
    """About as large as those of a search."""
    metadata = {f"metric_{number}": number / 7 for number in range(12)}
    tags = {"dagster/data_version": "d" * 64, "dagster/code_version": "1"}
    tags |= {f"dagster/input_data_version/{name}": "v" * 64 for name in ("split", "parameters")}
    return dg.AssetMaterialization(asset, partition=key, metadata=metadata, tags=tags)


def _groups(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))


def measure(candidates: int) -> dict[str, float]:
    """Candidates a second on either."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sqlite", "postgresql"):
            Path(folder, name).mkdir()
        found["sqlite"] = candidates_per_second(Path(folder, "sqlite"), SQLITE, candidates)
        with postgres_server() as server:
            os.environ["DAGSTER_POSTGRES_URL"] = server.new_database()
            home = Path(folder, "postgresql")
            found["postgresql"] = candidates_per_second(home, SETTINGS, candidates)
    return found


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(json.dumps({name: round(rate, 1) for name, rate in measure(count).items()}))  # noqa: T201
