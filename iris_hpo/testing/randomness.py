"""Random state that whoever computes in a process shares, set to something else."""

import random

import numpy as np


def disturb(seed: int) -> None:
    """Seed the generators of Python and NumPy, as other code of a process might."""
    random.seed(seed)
    np.random.seed(seed)
