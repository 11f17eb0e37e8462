"""Faults are tried on real projects, as in the end-to-end tests."""

from iris_hpo_tests.end_to_end.conftest import project, searched

__all__ = ["project", "searched"]
