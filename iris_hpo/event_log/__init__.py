"""Dagster's event log for thousands of events: the same content, stored in batches.

``dagster.yaml`` names this module.
"""

from iris_hpo.event_log.sqlite import KeptSqliteEventLog

__all__ = ["KeptSqliteEventLog"]
