"""Spaces whose axes say where to look."""

from iris_hpo.space.axes import Axis
from iris_hpo.space.candidates import ParameterSpace

C = Axis("C", "C", low=0.001, high=1000, log=True, positive=True)
KERNEL = Axis("kernel", "K", type="str", values=["rbf", "poly", "linear"])
GAMMA = Axis("gamma", "G", low=0.01, high=1, log=True, when={"kernel": ["rbf", "poly"]})
DEGREE = Axis("degree", "D", type="int", low=2, high=5, when={"kernel": "poly"})

CONDITIONAL = ParameterSpace([C, KERNEL, GAMMA, DEGREE])
"""An SVM: ``gamma`` of two kernels, ``degree`` of one."""

GRID = ParameterSpace(
    [
        Axis("C", "C", values=[0.1, 1, 10, 100]),
        KERNEL,
        Axis("gamma", "G", values=[0.01, 0.1, 1], when={"kernel": ["rbf", "poly"]}),
        Axis("degree", "D", type="int", low=2, high=4, step=1, when={"kernel": "poly"}),
    ]
)
"""The same with listed values: 4 x (3 + 3 x 3 + 1) candidates."""
