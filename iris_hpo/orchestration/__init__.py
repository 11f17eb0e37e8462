"""A search in Dagster: assets, checks, jobs and sensors.

Code here translates between Dagster and the stages, which do not import Dagster.
"""
