"""Change the random state that all code of a process shares."""

import random

import numpy as np


def disturb(seed: int) -> None:
    """Seed the generators of Python and NumPy, as other code of a process might."""
    random.seed(seed)
    np.random.seed(seed)
