"""Runs an adaptive search in memory when it is imported.

Processes that are forked afterwards have all that a process makes at its first run.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from iris_hpo.parts import Part
from iris_hpo.run_settings import BudgetSettings
from iris_hpo_tests.orchestration.test_drawing import bowl_spec, launch
from iris_hpo_tests.projects import SpecProject


def _run() -> None:
    with TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        root, sampler = Path(folder), Part("tpe", {"n_startup_trials": 2})
        spec = bowl_spec(root, sampler=sampler, budget=BudgetSettings(candidates=4))
        launch(SpecProject(root, instance, spec))


_run()
