"""The asset checks of `raw_data` and `split`."""

from collections.abc import Iterator, Mapping
from typing import Final

import dagster as dg

from iris_hpo.data.checks import DATA_CHECKS, SPLIT_CHECKS, DataFacts
from iris_hpo.data.findings import Finding, does_not_apply
from iris_hpo.data.split import CARD, SplitCard, split_problems
from iris_hpo.errors import InputError
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.names import check_result, check_specs, finding_result, names_of
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.study import OpenStudy, Study
from iris_hpo.spec import SearchSpec
from iris_hpo.store.digests import ArtifactError

_SOUND: Final = "parts_are_sound"


def build_data_checks(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetChecksDefinition:
    """Define the checks of `raw_data`; one op makes them all, as each op of a run costs time."""
    descriptions = {name: check.description for name, check in DATA_CHECKS.items()}

    @dg.multi_asset_check(
        name=names_of(spec).plain("raw_data_checks"),
        specs=check_specs(spec, "raw_data", descriptions),
        can_subset=True,
    )
    def raw_data_checks(
        context: dg.AssetCheckExecutionContext, iris_hpo_storage: Storage
    ) -> Iterator[dg.AssetCheckResult]:
        chosen = {key.name for key in context.selected_asset_check_keys}
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            if study.dataset.digest != study.require("raw_data").version:
                raise InputError(
                    f"{study.data_file}: the data changed since raw_data was materialised; "
                    "materialise raw_data too"
                )
            facts = DataFacts(study.dataset, spec.scorings.name)
            for name, check in DATA_CHECKS.items():
                if name in chosen:
                    yield finding_result(spec, name, check.examine(facts))

    return raw_data_checks


def build_split_checks(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetChecksDefinition:
    """Define the checks of `split`, in one op too."""
    descriptions = {
        _SOUND: "Training and test rows are disjoint, complete but for those that the splitter "
        "leaves out, and keep the proportions of the classes, the groups and the order of time if "
        "the splitter promises that.",
        **{name: check.description for name, check in SPLIT_CHECKS.items()},
    }

    @dg.multi_asset_check(
        name=names_of(spec).plain("split_checks"),
        specs=check_specs(spec, "split", descriptions),
        can_subset=True,
    )
    def split_checks(
        context: dg.AssetCheckExecutionContext, iris_hpo_storage: Storage
    ) -> Iterator[dg.AssetCheckResult]:
        chosen = {key.name for key in context.selected_asset_check_keys}
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            if _SOUND in chosen:
                problems = split_problems(study.store, spec.task)
                yield check_result(
                    "; ".join(problems) or "all rows stand where they should",
                    passed=not problems,
                    name=_SOUND,
                )
            for name, finding in _examine_parts(study).items():
                if name in chosen:
                    yield finding_result(spec, name, finding)

    return split_checks


def _examine_parts(study: Study) -> Mapping[str, Finding]:
    try:
        card = study.card(CARD, SplitCard, study.require("split").version)
        parts = study.examples(card)
    except ArtifactError as error:
        return dict.fromkeys(SPLIT_CHECKS, does_not_apply(str(error)))
    return {name: check.examine(parts) for name, check in SPLIT_CHECKS.items()}
