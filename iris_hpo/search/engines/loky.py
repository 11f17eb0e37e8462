"""Worker processes on this machine, by joblib's loky."""

import os
from concurrent.futures import Executor

from iris_hpo.search.engines.pool import PoolEngine
from iris_hpo.search.engines.worker import start_worker


class _LokyPool:
    def __init__(self, workers: int, work: bytes) -> None:
        from joblib.externals.loky.backend.context import get_context
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        self._executor = ProcessPoolExecutor(
            max_workers=workers,
            context=get_context("loky"),
            initializer=start_worker,
            initargs=(work, os.getpid()),
            env=dict.fromkeys(
                ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
                "1",
            ),
        )

    @property
    def executor(self) -> Executor:
        return self._executor

    def kill(self) -> None:
        self._executor.shutdown(wait=True, kill_workers=True)


def loky_engine(jobs: int) -> PoolEngine:
    """Worker processes on this machine.

    Parameters
    ----------
    jobs
        Number of processes; 0 for one per core.
    """
    from joblib import cpu_count

    return PoolEngine(jobs or cpu_count(), _LokyPool)
