"""What a run may change, described once, and the names that it may choose from.

The launchpad's fields, the command's options and the fields of a search's YAML are made from the
classes below. Here belong names, types, defaults, limits and texts; what a setting does belongs to
the part that does it. ``--help`` reads this module, so it imports nothing heavy.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from math import inf, isfinite
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.known_rules import RULES, default_rule, parse_share
from iris_hpo.setting import Setting, described, settings_of

LOKY: Final = "loky"
SERIAL: Final = "serial"
DASK: Final = "dask"
ENGINES: Final[Mapping[str, str]] = {
    LOKY: "worker processes on this machine",
    SERIAL: "the process of the run, one candidate after the other",
    DASK: "the workers of a Dask cluster",
}
"""Short names of engines, and where each does the work."""


CHEAP_NUMBERS: Final = 20_000
"""Most numbers (training rows times features) with which fits are cheap enough to be repeated."""

CHEAP_REPEATS: Final = 3
"""Number of repeats of the folds where fits are cheap."""


@dataclass(frozen=True)
class SplitSettings:
    """How the rows are divided.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    test_size: float = described(0.2, "Share of the rows kept for the test.", metavar="SHARE")
    seed: int = described(
        0,
        "Seed of the split, the folds and the estimator. A sampler keeps the seed of the search, "
        "whatever a run sets.",
        metavar="N",
    )
    folds: int = described(
        5, "Number of cross-validation folds on the training rows; 0 for none.", metavar="N"
    )
    stratify: bool | None = described(
        None,
        "Whether classes keep their proportions in the split and the folds. By default they do, if "
        "the target is a class.",
        is_option=False,
    )
    repeats: int | None = described(
        None,
        "Number of times that the folds are drawn; all their scores count alike. By default "
        f"{CHEAP_REPEATS} where the training rows times the features are at most "
        f"{CHEAP_NUMBERS:,} numbers, else 1.",
        metavar="N",
    )

    def __post_init__(self) -> None:
        if not 0 < self.test_size < 1:
            raise InputError(
                f"test_size {self.test_size} must lie between 0 and 1, such as 0.2",
                field=("test_size",),
            )
        if not 0 <= self.seed < 2**32:
            raise InputError(
                f"seed {self.seed} must lie between 0 and {2**32 - 1}", field=("seed",)
            )
        if self.folds < 0 or self.folds == 1:
            raise InputError(f"folds {self.folds} must be 0 (off) or at least 2", field=("folds",))
        if self.repeats is not None and self.repeats < 1:
            raise InputError(f"repeats {self.repeats} must be at least 1", field=("repeats",))

    def repeats_of(self, numbers: int) -> int:
        """Return how often the folds are drawn; ``numbers`` are training rows times features."""
        if not self.folds:
            return 1
        cheap = CHEAP_REPEATS if numbers <= CHEAP_NUMBERS else 1
        return cheap if self.repeats is None else self.repeats

    def stratifies(self, task: str) -> bool:
        """Whether classes keep their proportions for this task.

        Raises
        ------
        InputError
            If they are to, and the task has no classes.
        """
        if self.stratify and task == "regression":
            raise InputError("stratify needs classes; regression targets have none")
        return task == "classification" if self.stratify is None else self.stratify


ALL: Final = "all"
TRAIN: Final = "train"
AUTO: Final = "auto"
REFITS: Final[Mapping[str, str]] = {
    ALL: "training and test rows, after the choice; the scored model is kept beside it",
    TRAIN: "the training rows, as all candidates",
    AUTO: f"`{TRAIN}` under the rule `{default_rule(0)}`, else `{ALL}`",
}
"""What the champion can be trained on, by name."""


@dataclass(frozen=True)
class SelectionSettings:
    """How the best candidate is chosen, and what its model is trained on."""

    rule: str = described(
        MISSING,
        "How the best candidate is chosen. "
        + " ".join(f"`{rule.name}`: {rule.description}." for rule in RULES.values())
        + f" By default `{default_rule(2)}`, or `{default_rule(0)}` without folds.",
        names=tuple(RULES),
    )
    refit: str = described(
        AUTO,
        "Rows that the champion is trained on. "
        + " ".join(f"`{name}`: {rows}." for name, rows in REFITS.items()),
        names=tuple(REFITS),
    )
    within: str = described(
        "1%",
        "How far below the best mean a candidate may lie under the rule `within`, as a percentage "
        "of this mean.",
        metavar="PERCENT",
    )
    metric: str | None = described(
        None,
        "Choose by another metric than the search's scoring, such as `balanced_accuracy`, without "
        "training again: it is computed from the stored predictions. By default the scoring.",
        metavar="NAME",
    )
    ensemble: bool = described(
        False,
        "Make one predictor of all selected candidates, whose models vote, with an estimate of its "
        "own.",
    )

    def __post_init__(self) -> None:
        parse_share(self.within)
        if self.refit not in REFITS:
            known = ", ".join(REFITS)
            raise InputError(f"refit {self.refit!r}: choose one of {known}", field=("refit",))

    @property
    def share(self) -> float:
        """How far below the best mean a candidate may lie, as a share of it."""
        return parse_share(self.within)

    @property
    def refits(self) -> bool:
        """Whether the champion is trained again, on the training and the test rows."""
        return self.refit == ALL or (self.refit == AUTO and RULES[self.rule].needs_folds)


FILES: Final = "files"
"""Short name of the sampler that lists what the parameter files make."""


@dataclass(frozen=True)
class BudgetSettings:
    """How many candidates are tried, by a sampler that is asked again and again.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    candidates: int = described(
        100,
        "Budget of a sampler: number of candidates in total. All that are registered count.",
        metavar="N",
    )
    seconds: float | None = described(
        None,
        "Budget of a sampler: seconds of training and scoring, over all candidates of all runs.",
        metavar="SECONDS",
    )
    until: float | None = described(
        None,
        "Budget of a sampler: a score that is good enough. The mean over the folds counts, never "
        "the test rows.",
        metavar="SCORE",
    )
    while_it_gains: bool = described(
        False,
        "Let a sampler end when the gain that can be expected is less than the error of "
        "cross-validation.",
    )

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise InputError(
                f"candidates {self.candidates} must be at least 1", field=("candidates",)
            )
        if self.seconds is not None and not 0 < self.seconds < inf:
            raise InputError(f"seconds {self.seconds} must be a number above 0", field=("seconds",))
        if self.until is not None and not isfinite(self.until):
            raise InputError(f"until {self.until} must be a score", field=("until",))


@dataclass(frozen=True)
class SamplingSettings(BudgetSettings):
    """Where candidates come from, and how many are tried."""

    sampler: str = described(
        FILES,
        f"Where candidates come from. `{FILES}`: all that the parameter files make. `random`, "
        "`qmc`, `tpe`, `gp`, `refine` or the import path that the search names: a sampler that is "
        "asked for the next candidate whenever a worker is free, until the budget is spent.",
        metavar="NAME",
    )


@dataclass(frozen=True)
class WorkSettings:
    """How candidates are trained and scored."""

    engine: str = described(
        MISSING,
        "Where candidates are trained and scored. "
        + " ".join(f"`{name}`: {where}." for name, where in ENGINES.items())
        + " Or the import path of an engine of the search's own. By default the search's engine, "
        f"else `{DASK}` if IRIS_HPO_DASK_ADDRESS is set, else `{LOKY}`.",
        metavar=f"[{'|'.join(ENGINES)}|PATH]",
    )
    dask_address: str | None = described(
        None,
        f"Address of the Dask scheduler for the engine `{DASK}`, such as tcp://host:8786. By "
        "default IRIS_HPO_DASK_ADDRESS.",
        metavar="URL",
    )
    jobs: int = described(
        0, f"Number of worker processes of the engine `{LOKY}`; 0 for one per core.", metavar="N"
    )
    candidate_timeout: float | None = described(
        None,
        "Seconds after which a candidate is given up as failed. Needs worker processes. By default "
        "there is no limit.",
        metavar="SECONDS",
    )
    retries: int = described(
        1,
        "Number of times that a candidate is tried again if its worker died or the machine had an "
        "error. Errors of the candidate itself are not retried.",
        metavar="N",
    )
    force: bool = described(False, "Train and score candidates again even if they are up to date.")


SettingsGroup = type[SplitSettings | SelectionSettings | SamplingSettings | WorkSettings]

SETTINGS: Final[Mapping[str, Setting]] = {
    setting.name: setting
    for group in (SplitSettings, SelectionSettings, SamplingSettings, WorkSettings)
    for setting in settings_of(group)
}
"""All settings, by name."""
