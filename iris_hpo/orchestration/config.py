"""Run configuration, made from the settings and from what a search has in their place."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeVar

import dagster as dg
from pydantic import Field, create_model

from iris_hpo.data.named_splitters import names_of_settings
from iris_hpo.engines import default_engine, engine_names
from iris_hpo.run_settings import (
    SETTINGS,
    SamplingSettings,
    SelectionSettings,
    Setting,
    SplitSettings,
    WorkSettings,
    settings_of,
)
from iris_hpo.samplers import sampler_names
from iris_hpo.spec import SearchSpec
from iris_hpo.spec_choosing import selection_settings

Config = TypeVar("Config", bound=dg.Config)


FITTING: Final = tuple(
    setting.name for setting in settings_of(WorkSettings) if setting.name != "force"
)
"""Names of the `WorkSettings` that a selection follows too."""


class SplitConfig(dg.Config):
    """How the rows are divided."""

    def settings(self) -> SplitSettings:
        """Return the settings of the run."""
        return SplitSettings(**self.model_dump())


class ParametersConfig(dg.Config):
    """The settings of the estimator that are not searched, and where candidates come from."""

    def choices(self, spec: SearchSpec) -> dict[str, str]:
        """Return the choices of the run."""
        return {choice.name: str(getattr(self, choice.name)) for choice in spec.choices}

    def sampling(self, spec: SearchSpec) -> SamplingSettings:
        """Return where the candidates come from, and how many are tried."""
        given = {setting.name: getattr(self, setting.name) for setting in sampling_settings(spec)}
        return replace(spec.sampling, **given)


class CandidatesConfig(dg.Config):
    """How candidates are trained and scored."""

    def settings(self) -> WorkSettings:
        """Return the settings of the run."""
        return WorkSettings(**self.model_dump())


class SelectionConfig(dg.Config):
    """How the best candidate is chosen, and where its model is trained on all rows."""

    def settings(self) -> SelectionSettings:
        """Return how to choose."""
        return SelectionSettings(**self.model_dump(exclude={*FITTING}))

    def work(self) -> WorkSettings:
        """Return how to train."""
        return WorkSettings(**self.model_dump(include={*FITTING}))


def engine_of(spec: SearchSpec) -> str:
    """Name the engine of a run that names none."""
    return spec.engine.use if spec.engine else default_engine()


def split_config(spec: SearchSpec) -> type[SplitConfig]:
    """Make the run configuration of `split`: what the search's splitter follows."""
    settings = [SETTINGS[name] for name in names_of_settings(spec.splitter)]
    return _config(SplitConfig, settings, vars(spec.split))


def parameters_config(spec: SearchSpec) -> type[ParametersConfig]:
    """Make the run configuration of `parameters`: a field for each choice, and the sampling."""
    own: dict[str, Any] = {
        choice.name: (
            Literal[choice.texts],
            Field(default=choice.default_text, description=choice.description or None),
        )
        for choice in spec.choices
    }
    return _config(
        create_model(
            "ParametersConfig", __base__=ParametersConfig, __doc__=ParametersConfig.__doc__, **own
        ),
        sampling_settings(spec),
        vars(spec.sampling),
        {"sampler": sampler_names(spec.sampler)},
    )


def sampling_settings(spec: SearchSpec) -> Sequence[Setting]:
    """Settings of the sampling that a run can change; a choice of the same name takes its place."""
    taken = {choice.name for choice in spec.choices}
    return [setting for setting in settings_of(SamplingSettings) if setting.name not in taken]


def candidates_config(spec: SearchSpec) -> type[CandidatesConfig]:
    """Make the run configuration of `models` and `scores`."""
    return _config(
        CandidatesConfig,
        settings_of(WorkSettings),
        {"engine": engine_of(spec)},
        {"engine": engine_names(spec.engine)},
    )


def selection_config(spec: SearchSpec) -> type[SelectionConfig]:
    """Make the run configuration of `selection`."""
    own = selection_settings(spec, spec.division().n_folds)
    return _config(
        SelectionConfig,
        [*settings_of(SelectionSettings), *(SETTINGS[name] for name in FITTING)],
        {**vars(own), "engine": engine_of(spec)},
        {"engine": engine_names(spec.engine)},
    )


def _config(
    base: type[Config],
    settings: Sequence[Setting],
    defaults: Mapping[str, object],
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> type[Config]:
    """Make a class with a field for each setting.

    Parameters
    ----------
    defaults, names
        What the search has in place of the described defaults and names.
    """
    fields: dict[str, Any] = {}
    for setting in settings:
        default = defaults.get(setting.name, setting.default)
        allowed = (names or {}).get(setting.name, setting.names)
        kind: Any = Literal[allowed] if allowed else setting.type
        fields[setting.name] = (
            kind if default is not None else kind | None,
            Field(default=default, description=setting.text),
        )
    return create_model(base.__name__, __base__=base, __doc__=base.__doc__, **fields)
