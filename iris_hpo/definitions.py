"""The project's Dagster definitions."""

from iris_hpo.iris import iris_search
from iris_hpo.orchestration.build import build_search

defs = build_search(iris_search())
