"""Build the Dagster definitions of a search from its spec."""

from functools import partial

import dagster as dg

from iris_hpo.errors import InputError
from iris_hpo.orchestration.assets.models_and_scores import build_candidates
from iris_hpo.orchestration.assets.parameters import build_parameters
from iris_hpo.orchestration.assets.raw_data import build_raw_data
from iris_hpo.orchestration.assets.selection import build_selection
from iris_hpo.orchestration.assets.split import build_split
from iris_hpo.orchestration.champion_io import CHAMPION_RESOURCES
from iris_hpo.orchestration.checks import build_checks
from iris_hpo.orchestration.import_path import with_present_path
from iris_hpo.orchestration.known_searches import add_built, with_partitions_of
from iris_hpo.orchestration.resources import LogProgress, Progress
from iris_hpo.orchestration.sensors import build_automation
from iris_hpo.orchestration.study import OpenStudy, Study
from iris_hpo.orchestration.ticks import FindEdit
from iris_hpo.spec import SearchSpec

PROGRESS = "iris_hpo_progress"
"""Key of a resource; the parameter of an asset has this name."""

_PROGRESS = LogProgress()


def build_search(
    spec: SearchSpec,
    *,
    progress: Progress = _PROGRESS,
    open_study: OpenStudy | None = None,
    loads_data: bool = False,
    find_edit: FindEdit | None = None,
) -> dg.Definitions:
    """Make the assets, checks, jobs and sensors of a search.

    The definitions can be merged with those of other searches and with a project's own: each search
    has its own names, all share resources that begin with ``iris_hpo_``, and only the search's
    jobs have an executor. An asset that has the selection as an input gets the
    champion's model.

    Parameters
    ----------
    spec
        The search.
    progress
        Called with the counts as a run goes on; by default they are logged.
    open_study
        Returns the study for an asset or a check; by default those of a run share one in each
        process, which reads each input once.
    loads_data
        Whether the study loads the value of the asset that the search learns from, if any, and not
        Dagster. The study needs the project's definitions then, and these need nothing of them.
    find_edit
        Says what of the description was edited since it was loaded, empty if nothing was; sensors
        ask for nothing after an edit, since their runs would read another description.
    """
    _check_partitions(spec)
    add_built(spec)
    open_study = open_study or with_present_path(partial(Study.of_run, spec))
    assets = dg.Definitions(
        assets=[
            build_raw_data(spec, open_study, loads_data=loads_data),
            build_split(spec, open_study),
            build_parameters(spec, open_study),
            build_candidates(spec, open_study),
            build_selection(spec, open_study),
        ],
        asset_checks=build_checks(spec, open_study),
        resources={PROGRESS: progress, **CHAMPION_RESOURCES},
    )
    return dg.Definitions.merge(assets, build_automation(spec, find_edit))


def _check_partitions(spec: SearchSpec) -> None:
    """Refuse the partitions of another search: each would delete the candidates of the other."""
    for other in with_partitions_of(spec):
        raise InputError(
            f"the searches {other.name!r} and {spec.name!r} have the same partitions "
            f"{spec.partitions!r}, so that each would delete the candidates of the other; "
            "give each its own name of partitions. A spec that dataclasses.replace copies "
            "keeps the partitions of the original: write partitions='' there, and "
            "parameters_folder='' for parameter files of its own"
        )
