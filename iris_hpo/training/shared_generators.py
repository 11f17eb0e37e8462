"""The random generators of Python and NumPy that all code of a process shares."""

import random
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import numpy as np

from iris_hpo.training import Objective


@contextmanager
def seeded(objective: Objective, parameters: Mapping[str, object]) -> Generator[None]:
    """Seed the generators for a candidate, and leave them as they were.

    What it draws depends on nothing else: neither on the candidates before it nor on its worker.
    The estimators of scikit-learn have seeds of their own.
    """
    if not getattr(objective, "calls_others", True):
        yield
        return
    of_python, of_numpy = random.getstate(), np.random.get_state()
    content = repr((getattr(objective, "seed", 0), sorted(parameters.items())))
    seed = zlib.crc32(content.encode())
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
