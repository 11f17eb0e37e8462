"""Searches as YAML that the component's tests load, whole or with a mistake in them."""

FOREST = """\
# Which of three growers made a wine.
type: iris_hpo.HyperparameterSearch

attributes:
  name: wine
  data_file: wine.csv
  target: grower
  estimator: sklearn.ensemble.RandomForestClassifier
  settings:
    max_features: sqrt
    oob_score: false
  axes:
    - name: n_estimators
      symbol: N
      type: int
      positive: true
    - name: depth
      symbol: D
      parameter: max_depth
      type: int
      nullable: true
  choices:
    - name: criterion
      default: gini
      options: [gini, entropy]
  scoring: accuracy
  test_size: 0.25
  folds: 3
  seed: 1
  rule: cv
"""

PIPELINE = """\
type: iris_hpo.HyperparameterSearch

attributes:
  name: wine
  data_file: wine.csv
  steps:
    - estimator: sklearn.preprocessing.StandardScaler
      settings:
        with_std: true
    - estimator: sklearn.svm.SVC
  axes:
    - name: n_estimators
      symbol: N
      parameter: svc__C
    - name: depth
      symbol: D
      parameter: svc__gamma
"""


def line_of(text: str, marker: str) -> int:
    """The number of the one line that holds a text."""
    (number,) = (n for n, line in enumerate(text.splitlines(), start=1) if marker in line)
    return number
