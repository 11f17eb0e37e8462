"""The PostgreSQL event log, under the name by which the ``dagster.yaml`` of instances knows it."""

from iris_hpo.event_log.postgres import KeptPostgresEventLog

__all__ = ["KeptPostgresEventLog"]
