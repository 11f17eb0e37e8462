"""The Dagster component: a search from YAML, and the YAML of a search to begin with.

`fields`, `part_fields`, `budget_fields` and `search_fields` say what can be written, `places` finds
the line of a mistake, `problems` and `broken` show it, and `scaffold` writes a new search.
"""

from iris_hpo.component.hyperparameter_search import HyperparameterSearch

__all__ = ["HyperparameterSearch"]
