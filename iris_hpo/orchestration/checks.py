"""The asset checks of a search, on stored results."""

import dagster as dg

from iris_hpo.data.split import split_problems
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.names import check_result, names_of
from iris_hpo.orchestration.partitions import pending_change
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.selection_status import read_selectable
from iris_hpo.orchestration.study import OpenStudy
from iris_hpo.selection.champion import selected_problems
from iris_hpo.selection.leaderboard import leaderboard_keys
from iris_hpo.spec import SearchSpec
from iris_hpo.text import counted, listed


def build_checks(spec: SearchSpec, open_study: OpenStudy) -> list[dg.AssetChecksDefinition]:
    """Define the checks of a search."""
    return [
        _check_split(spec),
        _check_parameters(spec, open_study),
        _check_completeness(spec, open_study),
        _check_selected_models(spec),
    ]


def _check_split(spec: SearchSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=names_of(spec).asset("split"),
        description="Training and test rows are disjoint, complete but for those that the splitter "
        "leaves out, and keep the proportions of the classes if they are stratified.",
    )
    def parts_are_sound(iris_hpo_storage: Storage) -> dg.AssetCheckResult:
        with user_errors():
            problems = split_problems(iris_hpo_storage.store(spec), spec.task)
        return check_result(
            "; ".join(problems) or "all rows stand where they should", passed=not problems
        )

    return parts_are_sound


def _check_parameters(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=names_of(spec).asset("parameters"),
        description="The registered candidates are those of the parameter files, and those that "
        "a person added.",
    )
    def partitions_agree(
        context: dg.AssetCheckExecutionContext, iris_hpo_storage: Storage
    ) -> dg.AssetCheckResult:
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            change = pending_change(study)
        return check_result(
            f"{counted(len(study.listed_keys), 'candidate')} registered"
            if not change
            else f"not registered: {listed(change.added)}; left over: {listed(change.removed)}",
            passed=not change,
        )

    return partitions_agree


def _check_completeness(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=names_of(spec).asset("selection"),
        description="Every current candidate took part in the selection.",
    )
    def selection_is_complete(
        context: dg.AssetCheckExecutionContext, iris_hpo_storage: Storage
    ) -> dg.AssetCheckResult:
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            status = read_selectable(study, study.upstream())
            ranked = set(leaderboard_keys(study.store))
        absent = {
            "scored since": [key for key in status.score_cards if key not in ranked],
            "missing": status.keys("missing"),
            "out of date": status.keys("out of date"),
            "failed": status.keys("failed"),
        }
        return check_result(
            "; ".join(f"{what}: {listed(keys)}" for what, keys in absent.items() if keys)
            or f"every candidate took part: {len(status.score_cards)}",
            passed=not any(absent.values()),
            severity=dg.AssetCheckSeverity.WARN,
        )

    return selection_is_complete


def _check_selected_models(spec: SearchSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=names_of(spec).asset("selection"),
        description="Every selected model and the champion are the very files that their cards "
        "describe.",
    )
    def selected_models_match(iris_hpo_storage: Storage) -> dg.AssetCheckResult:
        with user_errors():
            problems = selected_problems(iris_hpo_storage.store(spec))
        return check_result("; ".join(problems) or "every digest matches", passed=not problems)

    return selected_models_match
