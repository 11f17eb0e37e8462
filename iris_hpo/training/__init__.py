"""What a worker does: it trains and scores a candidate."""

from typing import Final

WORKER_MODULES: Final = ("iris_hpo.training.trial", "sklearn.metrics", "sklearn.model_selection")
"""What a worker imports for it; named, as the process that starts workers needs none of them."""
