"""Hyperparameter tuning as a Dagster project: every candidate is a tracked partition."""
