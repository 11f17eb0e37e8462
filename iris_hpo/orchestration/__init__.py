"""The search as Dagster assets, checks, jobs and sensors."""
