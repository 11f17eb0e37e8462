"""Asset checks: what must hold of stored results."""

import dagster as dg

from iris_hpo.data.split import split_problems
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.names import check_result, names_of
from iris_hpo.orchestration.partitions import pending_change
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.standing import current_standing
from iris_hpo.orchestration.study import read_spec_parameters, read_upstream
from iris_hpo.selection.champion import selected_problems
from iris_hpo.selection.leaderboard import leaderboard_keys
from iris_hpo.spec import SearchSpec
from iris_hpo.text import listed


def build_checks(spec: SearchSpec) -> list[dg.AssetChecksDefinition]:
    """Define the checks of a search."""
    names = names_of(spec)

    @dg.asset_check(
        asset=names.asset("split"),
        description="Training and test rows are disjoint, complete, and keep the proportions of "
        "the classes.",
    )
    def parts_are_sound(iris_hpo_storage: Storage) -> dg.AssetCheckResult:
        with user_errors():
            problems = split_problems(iris_hpo_storage.store(spec), spec.task)
        return check_result(
            "; ".join(problems) or "all rows stand where they should", passed=not problems
        )

    @dg.asset_check(
        asset=names.asset("parameters"),
        description="The registered candidates are those of the parameter files, and those that "
        "a person added.",
    )
    def partitions_agree(
        context: dg.AssetCheckExecutionContext, iris_hpo_storage: Storage
    ) -> dg.AssetCheckResult:
        with user_errors():
            found = read_spec_parameters(spec, iris_hpo_storage)
        keys = [candidate.key for candidate in found.candidates]
        change = pending_change(context.instance, names, keys)
        return check_result(
            f"{len(keys)} candidates are registered"
            if not change
            else f"not registered: {listed(change.added)}; left over: {listed(change.removed)}",
            passed=not change,
        )

    @dg.asset_check(
        asset=names.asset("selection"),
        description="Every current candidate took part in the selection.",
    )
    def selection_is_complete(
        context: dg.AssetCheckExecutionContext, iris_hpo_storage: Storage
    ) -> dg.AssetCheckResult:
        with user_errors():
            store = iris_hpo_storage.store(spec)
            upstream = read_upstream(context.instance, names, store)
            found = current_standing(context.instance, spec, store, upstream)
            ranked = set(leaderboard_keys(store))
        absent = {
            "scored since": [key for key in found.usable if key not in ranked],
            "missing": found.missing,
            "out of date": found.out_of_date,
            "failed": found.failed,
        }
        return check_result(
            "; ".join(f"{what}: {listed(keys)}" for what, keys in absent.items() if keys)
            or f"all {len(found.usable)} candidates took part",
            passed=not any(absent.values()),
            severity=dg.AssetCheckSeverity.WARN,
        )

    @dg.asset_check(
        asset=names.asset("selection"),
        description="Every selected model is the very file that its card describes.",
    )
    def selected_models_match(iris_hpo_storage: Storage) -> dg.AssetCheckResult:
        with user_errors():
            problems = selected_problems(iris_hpo_storage.store(spec))
        return check_result("; ".join(problems) or "every digest matches", passed=not problems)

    return [parts_are_sound, partitions_agree, selection_is_complete, selected_models_match]
