"""The project's Dagster definitions: the iris search and an executor."""

import dagster as dg

from iris_hpo.iris import iris_search
from iris_hpo.orchestration.build import build_search

# This location holds only the search, so its executor can be in-process, for the UI too. With
# Dagster's default executor each step starts a process, and only then waits for the pool.
defs = dg.Definitions.merge(
    build_search(iris_search()), dg.Definitions(executor=dg.in_process_executor)
)
