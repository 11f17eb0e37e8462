"""The project's Dagster definitions."""

import dagster as dg

from iris_hpo.iris import iris_search
from iris_hpo.orchestration.build import build_search

# This location holds nothing but the search: what the UI materialises stays in one process too.
# With Dagster's default each step starts a process, and then waits for the pool.
defs = dg.Definitions.merge(
    build_search(iris_search()), dg.Definitions(executor=dg.in_process_executor)
)
