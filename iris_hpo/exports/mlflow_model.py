"""The champion as a registered model of MLflow, with its signature."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from iris_hpo.data.kinds import NUMBER, is_text
from iris_hpo.known_rules import RULES
from iris_hpo.selection.champion import CHAMPION
from iris_hpo.selection.results import Results
from iris_hpo.training.artifacts import Workplace
from iris_hpo.training.cards import load_model

_HISTORY: Final = "mlflow.log-model.history"
_NO_PACKAGES: Final = ("python", "Python")


def register_champion(client: Any, run: str, results: Results) -> str:
    """Attach the champion to a run, and register it as a new version of the search's model.

    Returns
    -------
    str
        A note on what was done: a model that is no scikit-learn estimator is not registered.
    """
    from mlflow.exceptions import MlflowException
    from sklearn.base import BaseEstimator

    champion = results.champion
    if RULES[champion.rule].scores_itself:
        return (
            "the objective scores itself, so there is no model to register; what its calls left is "
            "attached to the runs of the candidates"
        )
    tags = {
        "iris_hpo/candidate": champion.key,
        "iris_hpo/digest": champion.digest,
        "iris_hpo/version": champion.version,
    }
    versions = _versions(client, run)
    if versions and tags.items() <= versions[-1].tags.items():  # of an export that was stopped
        return _registered(versions[-1], results)
    model = load_model(results.read(CHAMPION, champion.digest))
    if not isinstance(model, BaseEstimator):
        return f"the champion is a {type(model).__name__}, which MLflow's registry cannot hold"
    name = f"champion-{champion.version[:8]}"  # a version keeps its files when the next one comes
    with closing(Workplace()) as workplace:
        place = workplace.folder / name
        save(model, results, place)
        client.log_artifacts(run, str(place), name)
        _describe(client, run, place)
    try:
        client.create_registered_model(results.name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # The place itself: MLflow's server reads the signature of a version from there alone.
    source = f"{client.get_run(run).info.artifact_uri}/{name}"
    return _registered(client.create_model_version(results.name, source, run, tags=tags), results)


def unregister(client: Any, run: str) -> None:
    """Delete the versions that are models of a run, but not those that somebody gave an alias."""
    for version in _versions(client, run):
        if not client.get_model_version(version.name, version.version).aliases:
            client.delete_model_version(version.name, version.version)


def _versions(client: Any, run: str) -> list[Any]:
    """Versions that are models of a run, the latest last."""
    versions = client.search_model_versions(f"run_id = '{run}'")
    return sorted(versions, key=lambda version: int(version.version))


def _registered(version: Any, results: Results) -> str:
    return f"the champion is version {version.version} of the model {results.name}"


def _describe(client: Any, run: str, place: Path) -> None:
    """Describe a saved model as MLflow's UI expects it at its run, with the signature."""
    from mlflow.models import Model

    described = Model.load(str(place))
    described.artifact_path, described.run_id = place.name, run
    client.set_tag(run, _HISTORY, json.dumps([described.to_dict()]))  # a tag has room for one


def save(model: Any, results: Results, place: Path) -> None:
    """Write a model in MLflow's form, with its signature."""
    import mlflow.sklearn

    save_model: Any = mlflow.sklearn.save_model  # pyright: ignore[reportPrivateImportUsage]
    save_model(
        model,
        str(place),
        serialization_format="cloudpickle",
        signature=signature(model, results),
        pip_requirements=[
            f"{package}=={version}"
            for package, version in results.champion.versions.items()
            if package not in _NO_PACKAGES
        ],
    )


def signature(model: Any, results: Results) -> Any:
    """Return the signature: a column per feature, and what is predicted."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    champion = results.champion
    kinds = champion.kinds or [NUMBER] * len(champion.feature_names)
    inputs: list[Any] = [
        ColSpec(DataType.string if is_text(kind) else DataType.double, name)
        for kind, name in zip(kinds, champion.feature_names, strict=True)
    ]
    label = getattr(getattr(model, "classes_", None), "dtype", None)
    number = DataType.double if results.task == "regression" else DataType.long
    output = DataType.string if label is not None and label.kind in "OUS" else number
    return ModelSignature(Schema(inputs), Schema([ColSpec(output, champion.target_name)]))
