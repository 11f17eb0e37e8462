"""Prepare features that are not all complete numbers for an estimator.

The steps are scikit-learn's own, fitted with the estimator: within each fold to its rows alone.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from iris_hpo.data.dates import DATES
from iris_hpo.data.kinds import CATEGORY, TEXT

VERSION: Final = 2
"""Changes when prepared features change."""

_RARE: Final = 2
"""Rows below which a category counts among the rare ones; so do those that training did not see."""
_NATIVE: Final = "categorical_features"
"""Parameter of an estimator that takes categories itself, such as scikit-learn's boosting."""
_MOST: Final = 255
"""Largest number of categories that it takes."""
_HASHES: Final = 2**10
_TOPICS: Final = 20
_YEAR: Final = 365.2425


def prepare(estimator: Any, kinds: Sequence[str], seed: int) -> Any:
    """Put in front of an estimator what its features need.

    Missing numbers get the median, beside a column that says so, unless the estimator takes missing
    values. Categories become a column each, also a missing one; an estimator that takes categories
    gets their numbers, and their positions, unless its settings have some. Texts become 20
    components of their character n-grams, dates a number and smooth functions of the time of year
    and of the day of the week.

    Parameters
    ----------
    estimator
        An unfitted estimator.
    kinds
        Kinds of the features, see `iris_hpo.data.kinds`.
    seed
        For the components of texts.

    Returns
    -------
    Pipeline
        Takes features of shape (rows, features), objects.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    numbers, categories, others = list[int](), list[int](), list[Any]()
    for at, kind in enumerate(kinds):
        if kind == CATEGORY:
            categories.append(at)
        elif kind == TEXT:
            others.append((f"text_{at}", _of_texts(seed), at))
        elif kind in DATES:
            others.append((f"date_{at}", _of_dates(), [at]))
        else:
            numbers.append(at)
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    as_they_are = FunctionTransformer(np.asarray, kw_args={"dtype": np.float64})
    are_native = _takes_categories(estimator)
    if are_native and categories:
        estimator.set_params(**{_NATIVE: [*range(len(categories))]})
    parts = [
        ("categories", _of_categories(are_native=are_native), categories),
        ("numbers", as_they_are if _takes_missing(estimator) else imputer, numbers),
        *others,
    ]
    columns = ColumnTransformer([part for part in parts if part[2] != []], sparse_threshold=0)
    return Pipeline([("prepare", columns), ("estimator", estimator)])


def _of_categories(*, are_native: bool) -> Any:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    if are_native:
        unknown: dict[str, Any] = {"unknown_value": np.nan, "max_categories": _MOST}
        return OrdinalEncoder(handle_unknown="use_encoded_value", **unknown)
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=_RARE, sparse_output=False
    )


def _of_texts(seed: int) -> Any:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.pipeline import make_pipeline

    hashes = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=_HASHES)
    return make_pipeline(hashes, TruncatedSVD(_TOPICS, random_state=seed))


def _of_dates() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import FeatureUnion, make_pipeline

    parts = [
        ("day", "passthrough"),
        ("time_of_year", _periodic(np.linspace(0, _YEAR, 7))),
        ("day_of_week", _periodic(np.arange(8.0))),
    ]
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), FeatureUnion(parts)
    )


def _periodic(knots: np.ndarray[Any, Any]) -> Any:
    from sklearn.preprocessing import SplineTransformer

    settings: dict[str, Any] = {"knots": knots.reshape(-1, 1), "extrapolation": "periodic"}
    return SplineTransformer(**settings)


def _takes_missing(estimator: Any) -> bool:
    from sklearn.utils import get_tags

    return bool(get_tags(estimator).input_tags.allow_nan)


def _takes_categories(estimator: Any) -> bool:
    return estimator.get_params(deep=False).get(_NATIVE, False) in (None, "from_dtype")
