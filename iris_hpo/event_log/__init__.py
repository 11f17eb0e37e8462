"""Dagster's event log for thousands of events: the same content, stored in batches.

``dagster.yaml`` names this module, so its path and its classes keep their names. What a run records
is in `iris_hpo.orchestration.record`.
"""

from iris_hpo.event_log.sqlite import KeptSqliteEventLog

__all__ = ["KeptSqliteEventLog"]
