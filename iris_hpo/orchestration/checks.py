"""The asset checks of `parameters` and `selection`, and the list of all checks of a search."""

from collections.abc import Container, Iterator, Mapping
from typing import Final

import dagster as dg

from iris_hpo.data.findings import Finding
from iris_hpo.orchestration.data_checks import build_data_checks, build_split_checks
from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.names import check_result, check_specs, finding_result, names_of
from iris_hpo.orchestration.partitions import pending_change, registered_keys
from iris_hpo.orchestration.record import metadata_before
from iris_hpo.orchestration.resources import Storage
from iris_hpo.orchestration.selection_metadata import ESTIMATE, SCORING
from iris_hpo.orchestration.selection_status import read_selectable
from iris_hpo.orchestration.study import OpenStudy, Study
from iris_hpo.selection.checks import CHECKS, Facts
from iris_hpo.selection.estimates import Estimate
from iris_hpo.selection.files import selected_problems
from iris_hpo.selection.leaderboard import leaderboard_keys
from iris_hpo.spec import SearchSpec
from iris_hpo.text import counted, listed

_COMPLETE: Final = "selection_is_complete"
_MODELS: Final = "selected_models_match"


def build_checks(spec: SearchSpec, open_study: OpenStudy) -> list[dg.AssetChecksDefinition]:
    """Define the checks of a search."""
    return [
        build_data_checks(spec, open_study),
        build_split_checks(spec, open_study),
        _check_parameters(spec, open_study),
        _check_selection(spec, open_study),
    ]


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
            f"{counted(len(registered_keys(study)), 'candidate')} registered"
            if not change
            else f"not registered: {listed(change.added)}; left over: {listed(change.removed)}",
            passed=not change,
        )

    return partitions_agree


def _check_selection(spec: SearchSpec, open_study: OpenStudy) -> dg.AssetChecksDefinition:
    """Define the checks of `selection`; one op makes them all, as each op of a run costs time."""
    descriptions = {
        _COMPLETE: "Every current candidate took part in the selection.",
        _MODELS: (
            "Every selected model and the champion are the very files that their cards describe."
        ),
        **{check.name: check.description for check in CHECKS.values()},
    }

    @dg.multi_asset_check(
        name=names_of(spec).plain("selection_checks"),
        specs=check_specs(spec, "selection", descriptions),
        can_subset=True,
    )
    def selection_checks(
        context: dg.AssetCheckExecutionContext, iris_hpo_storage: Storage
    ) -> Iterator[dg.AssetCheckResult]:
        chosen = {key.name for key in context.selected_asset_check_keys}
        with user_errors():
            study = open_study(context.instance, iris_hpo_storage)
            if _COMPLETE in chosen:
                yield _check_completeness(study)
            if _MODELS in chosen:
                yield _check_selected_models(study)
            for name, finding in examine_champion(study, chosen).items():
                yield finding_result(spec, name, finding)

    return selection_checks


def _check_completeness(study: Study) -> dg.AssetCheckResult:
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
        name=_COMPLETE,
    )


def _check_selected_models(study: Study) -> dg.AssetCheckResult:
    problems = selected_problems(study.store)
    return check_result(
        "; ".join(problems) or "every digest matches", passed=not problems, name=_MODELS
    )


def examine_champion(study: Study, names: Container[str] = CHECKS) -> Mapping[str, Finding]:
    """Examine the champion that is recorded now; give the finding of each check, by its name.

    Parameters
    ----------
    names
        The checks to make; others are left out.

    Raises
    ------
    InputError
        If there is no selection, or the card was changed.
    """
    champion = study.champion()
    facts = Facts(champion, study.spec.task, _estimate_before(study, champion.scoring))
    return {name: check.examine(facts) for name, check in CHECKS.items() if name in names}


def failed_blocking_checks(study: Study) -> Mapping[str, str]:
    """Find the blocking checks that the recorded champion does not pass; give what each says."""
    if not study.spec.blocking_checks:
        return {}
    findings = examine_champion(study, study.spec.blocking_checks)
    return {name: finding.text for name, finding in findings.items() if not finding.passed}


def _estimate_before(study: Study, scoring: str) -> Estimate | str:
    """The estimate of the selection before, or why there is none to compare with."""
    metadata = metadata_before(study.instance, study.names.asset("selection"))
    if not metadata:
        return "there was no selection before"
    recorded = [metadata[name].value for name in ESTIMATE if name in metadata]
    numbers = [number for number in recorded if isinstance(number, float)]
    if len(numbers) < len(ESTIMATE):
        return "the selection before had no estimate"
    if metadata[SCORING].value != scoring:  # a run may rank by another metric
        return f"the scoring was {metadata[SCORING].value} before"
    value, low, high = numbers
    return Estimate(value, low, high, "", "bbc")
