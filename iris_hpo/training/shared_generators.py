"""The random generators of Python and NumPy that all code of a process shares."""

import random
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import numpy as np


@contextmanager
def seeded(seed: int, parameters: Mapping[str, object]) -> Generator[None]:
    """Seed the generators for a candidate, and leave them as they were.

    What it draws depends on nothing else: neither on the candidates before it nor on its worker.

    Parameters
    ----------
    seed
        The search's seed.
    parameters
        Those of the candidate.
    """
    of_python, of_numpy = random.getstate(), np.random.get_state()
    own_seed = zlib.crc32(repr((seed, sorted(parameters.items()))).encode())
    random.seed(own_seed)
    np.random.seed(own_seed)
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
