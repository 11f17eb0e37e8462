"""Sample efficiency: the best score after a number of candidates, ours beside plain Optuna's.

In one process and without Dagster: a loop around what a search asks its sampler, with the same
seeds for all. The problems are in `problems`, who looks for the best in `contestants`.
"""
