"""Run configuration, explained for the launchpad. Defaults come from the search's spec."""

from typing import Any, Literal

import dagster as dg
from pydantic import Field, create_model

from iris_hpo.data.splitters import SplitSettings, names_of_settings
from iris_hpo.engines import ENGINES, Limits, default_engine
from iris_hpo.selection.rules import Rule
from iris_hpo.spec import SearchSpec


class SplitConfig(dg.Config):
    """How the rows are divided."""

    def settings(self) -> SplitSettings:
        """As the domain takes it."""
        return SplitSettings(**self.model_dump())


class ParametersConfig(dg.Config):
    """The settings of the estimator that are not searched."""

    def choices(self) -> dict[str, str]:
        """The choices of the run."""
        return {name: str(value) for name, value in self.model_dump().items()}


class CandidatesConfig(dg.Config):
    """How candidates are trained and scored."""

    engine: str = Field(
        default="loky",
        description=" ".join(f"`{name}`: {what}." for name, what in ENGINES.items()),
    )
    dask_address: str | None = Field(
        default=None,
        description="The scheduler for `dask`, such as tcp://host:8786; IRIS_HPO_DASK_ADDRESS by "
        "default.",
    )
    jobs: int = Field(
        default=0, description="Number of worker processes of `loky`; 0 for one per core."
    )
    force: bool = Field(default=False, description="Train and score again even what is up to date.")
    candidate_timeout: float | None = Field(
        default=None,
        description="Seconds after which a candidate is given up as failed; none by default. "
        "Needs worker processes.",
    )
    retries: int = Field(
        default=1,
        description="How often a candidate is tried again if its worker died or the machine had "
        "an error. Errors of the candidate itself are not retried.",
    )

    def limits(self) -> Limits:
        """As the engine takes it.

        Raises
        ------
        InputError
            If a number is out of range.
        """
        return Limits(self.retries, self.candidate_timeout)


class SelectionConfig(dg.Config):
    """How the best is chosen."""

    rule: Rule

    def checked(self, spec: SearchSpec, folds: int) -> Rule:
        """The rule, if this search can follow it with so many folds."""
        return spec.checked_rule(self.rule, folds)


def engine_of(spec: SearchSpec) -> str:
    """Name the engine that works where a run says nothing."""
    return spec.engine.use if spec.engine else default_engine()


def candidates_config(spec: SearchSpec) -> type[CandidatesConfig]:
    """Run configuration of `candidates`, with the engine of the search as the default."""
    field = CandidatesConfig.model_fields["engine"]
    default = engine_of(spec)
    names = tuple(dict.fromkeys((*ENGINES, default)))
    fields: dict[str, Any] = {
        "engine": (Literal[names], Field(default=default, description=field.description))
    }
    return create_model(
        "CandidatesConfig", __base__=CandidatesConfig, __doc__=CandidatesConfig.__doc__, **fields
    )


def split_config(spec: SearchSpec) -> type[SplitConfig]:
    """Run configuration of `split`."""
    default = spec.split
    fields: dict[str, Any] = {
        "test_size": (
            float,
            Field(default=default.test_size, description="Share of the rows kept for the test."),
        ),
        "seed": (
            int,
            Field(default=default.seed, description="Seed of the split, the folds, the estimator."),
        ),
        "folds": (
            int,
            Field(
                default=default.folds,
                description="Cross-validation folds on the training rows; 0 for none.",
            ),
        ),
        "stratify": (
            bool | None,
            Field(
                default=default.stratify,
                description="Keep the proportions of the classes; by default if there are any.",
            ),
        ),
    }
    names = names_of_settings(spec.splitter)
    return create_model(
        "SplitConfig",
        __base__=SplitConfig,
        __doc__=SplitConfig.__doc__,
        **{name: fields[name] for name in names},
    )


def parameters_config(spec: SearchSpec) -> type[ParametersConfig]:
    """Run configuration of `parameters`: one field per choice that the search offers."""
    fields: dict[str, Any] = {
        choice.name: (
            Literal[choice.texts],
            Field(default=choice.default_text, description=choice.description or None),
        )
        for choice in spec.choices
    }
    return create_model(
        "ParametersConfig", __base__=ParametersConfig, __doc__=ParametersConfig.__doc__, **fields
    )


def selection_config(spec: SearchSpec) -> type[SelectionConfig]:
    """Run configuration of `selection`."""
    return create_model(
        "SelectionConfig",
        __base__=SelectionConfig,
        __doc__=SelectionConfig.__doc__,
        rule=(
            Rule,
            Field(
                default=spec.rule or spec.checked_rule(None, spec.division().n_folds),
                description="`test_score`: best on the test rows. `cv`: best in cross-validation, "
                "so that the test score stays an honest estimate. `one_standard_error`: the "
                "simplest within one standard error of the best in cross-validation.",
            ),
        ),
    )
