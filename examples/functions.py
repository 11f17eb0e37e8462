"""Functions that searches of this project call."""

import math
from typing import Any


def branin(x1: float, x2: float) -> float:
    """Branin's function, whose three least values are 0.397887."""
    bowl = x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6
    return bowl**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10


def descend(trial: Any) -> float:
    """Descend a slope, as an objective that was written for Optuna does."""
    rate = trial.suggest_float("rate", 0.001, 1.5, log=True)
    steps = trial.suggest_int("steps", 1, 50)
    shape = trial.suggest_categorical("shape", ["bowl", "valley"])
    power = 2 if shape == "bowl" else 4
    place = 1.5
    for step in range(steps):
        place -= rate * power * place ** (power - 1) / 10
        trial.report(abs(place), step)
        if trial.should_prune():
            break
    trial.set_user_attr("place", place)
    return abs(place)
