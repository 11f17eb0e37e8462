"""Asset checks: what must hold of stored results, looked at anew."""

import dagster as dg
import numpy as np

from iris_hpo.orchestration.failures import user_errors
from iris_hpo.orchestration.inputs import read_upstream
from iris_hpo.orchestration.naming import names_of
from iris_hpo.orchestration.partitions import pending_change
from iris_hpo.orchestration.presentation import check_result
from iris_hpo.orchestration.selection import SELECTED_FOLDER, current_standing, leaderboard_keys
from iris_hpo.orchestration.sources import read_spec_parameters
from iris_hpo.orchestration.storage import Storage
from iris_hpo.search.dataset import Task
from iris_hpo.search.spec import SearchSpec
from iris_hpo.search.splitting import class_counts
from iris_hpo.store.artifacts import ArtifactError, ArtifactStore, digest_of
from iris_hpo.store.cards import (
    ModelCard,
    SplitCard,
    model_card_name,
    read_card,
)
from iris_hpo.store.split import CARD, TEST, TRAIN, read_part
from iris_hpo.text import legible, listed


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


def split_problems(store: ArtifactStore, task: Task) -> list[str]:
    """What is wrong with a stored split; empty if nothing is."""
    card = read_card(store, CARD, SplitCard)
    train, test = store.read(TRAIN), store.read(TEST)
    problems = [
        f"{name} was changed since it was made"
        for name, content, digest in (
            (TRAIN, train, card.train_digest),
            (TEST, test, card.test_digest),
        )
        if digest_of(content) != digest
    ]
    try:
        train_rows, _, train_target = read_part(train, task)
        test_rows, _, test_target = read_part(test, task)
    except (ValueError, IndexError):  # of what was changed
        return problems
    rows = np.concatenate([train_rows, test_rows])
    shared = np.intersect1d(train_rows, test_rows)
    if len(shared):
        problems.append(f"{len(shared)} rows are in both parts")
    absent = np.setdiff1d(np.arange(card.train_rows + card.test_rows), rows)
    if len(absent):
        problems.append(f"{len(absent)} rows are in neither part")
    if card.stratify:
        share = len(test_rows) / max(1, len(rows))
        train_counts, test_counts = class_counts(train_target), class_counts(test_target)
        for name in sorted({*train_counts, *test_counts}):
            in_test = test_counts.get(name, 0)
            expected = share * (in_test + train_counts.get(name, 0))
            if abs(in_test - expected) > 1:
                problems.append(
                    f"class {legible(name)} has {in_test} test rows instead of about {expected:.1f}"
                )
    return problems


def selected_problems(store: ArtifactStore) -> list[str]:
    """What is wrong with the selected models; empty if nothing is."""
    stored = [
        name
        for name in store.list(SELECTED_FOLDER)
        if name.startswith("model_") and name.endswith(".pkl")
    ]
    problems = [
        f"model_{key}.pkl is missing from the selected models"
        for key in leaderboard_keys(store, selected=True)
        if f"model_{key}.pkl" not in stored
    ]
    for name in stored:
        key = name.removeprefix("model_").removesuffix(".pkl")
        try:
            card = read_card(store, model_card_name(key), ModelCard)
            content = store.read(f"{SELECTED_FOLDER}/{name}")
        except ArtifactError as error:
            problems.append(str(error))
            continue
        if digest_of(content) != card.digest:
            problems.append(f"{name} is not the file that its card describes")
    return problems
