"""What of a search's description decides its results, beside its data file, axes and candidates.

`claims` compares it between projects. Options of a run and versions of packages are no part of it:
they differ between the runs and the machines of one project.
"""

from collections.abc import Mapping
from typing import Final

from iris_hpo.data.named_splitters import SPLITTERS, names_of_settings
from iris_hpo.orchestration.selection_status import choosing_fingerprint
from iris_hpo.run_settings import SelectionSettings
from iris_hpo.spec import SearchSpec
from iris_hpo.spec_choosing import default_rule
from iris_hpo.store.cards import fingerprint
from iris_hpo.training.estimators import Step
from iris_hpo.training.settings import identity
from iris_hpo.training.source_code import code_of

_ORIGIN: Final = ("code", "packages")


def deciding_digests(spec: SearchSpec) -> dict[str, str]:
    """Return the digests of what decides results, each by a name for messages.

    Source code is read as it is on disk: processes that have loaded it at different times agree.
    """
    objective = spec.make_objective()
    return {
        "settings": fingerprint(
            recipe=_without_origin(objective.identity()),
            choices={choice.name: choice.default_text for choice in spec.choices},
            scoring=objective.scoring,
            scorings=_without_origin(objective.scoring_identity()),
            prepare=spec.prepare,
        ),
        "split": fingerprint(
            layout=spec.layout.content(),
            splitter=[spec.splitter.use, identity(spec.splitter.settings)],
            settings={name: getattr(spec.split, name) for name in names_of_settings(spec.splitter)},
        ),
        "source code": fingerprint(code=_code(spec) | dict(objective.code)),
        "selection rule or reports": _chosen_by(spec),
    }


def _without_origin(parts: Mapping[str, object]) -> dict[str, object]:
    return {name: part for name, part in parts.items() if name not in _ORIGIN}


def _code(spec: SearchSpec) -> dict[str, str]:
    """Digests of the code of the splitter and of the scorings."""
    splitter = Step(spec.splitter.use, spec.splitter.settings)
    paths = () if splitter.estimator in SPLITTERS else splitter.import_paths
    return dict(code_of([*paths, *spec.scorings.import_paths]).digests)


def _chosen_by(spec: SearchSpec) -> str:
    rule = default_rule(spec, spec.division().n_folds)
    settings = SelectionSettings(rule, spec.refit, spec.within, spec.metric, spec.ensemble)
    return choosing_fingerprint(spec, settings)
