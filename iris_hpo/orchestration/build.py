"""From a spec to Dagster definitions."""

import dagster as dg

from iris_hpo.orchestration.candidates import build_candidates
from iris_hpo.orchestration.checks import build_checks
from iris_hpo.orchestration.choosing import build_selection
from iris_hpo.orchestration.naming import names_of
from iris_hpo.orchestration.progress import LogProgress, Progress
from iris_hpo.orchestration.sources import build_parameters, build_raw_data, build_split
from iris_hpo.orchestration.storage import Storage
from iris_hpo.search.spec import SearchSpec

_STORAGE = Storage()
_PROGRESS = LogProgress()


def build_search(spec: SearchSpec, *, progress: Progress = _PROGRESS) -> dg.Definitions:
    """Make the assets, checks, jobs and sensors of a search.

    Definitions of several searches can be merged: each has its own names, and they share the
    resources ``storage`` and ``progress``.

    Parameters
    ----------
    spec
        The search.
    progress
        Is told how runs go; by default the run's log.
    """
    names = names_of(spec)
    return dg.Definitions(
        assets=[
            build_raw_data(spec),
            build_split(spec),
            build_parameters(spec),
            build_candidates(spec),
            build_selection(spec),
        ],
        asset_checks=build_checks(spec),
        jobs=[
            dg.define_asset_job(
                names.plain("search"),
                dg.AssetSelection.assets(
                    *(
                        names.asset(name)
                        for name in ("raw_data", "split", "parameters", "models", "scores")
                    )
                ),
                description="Read data and parameter files, train and score candidates.",
            ),
            dg.define_asset_job(
                names.plain("select"),
                dg.AssetSelection.assets(names.asset("selection")),
                description="Choose the best of the scored candidates.",
            ),
        ],
        resources={"storage": _STORAGE, "progress": progress},
        executor=dg.in_process_executor,
    )
