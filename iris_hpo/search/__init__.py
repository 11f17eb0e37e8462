"""The domain: everything about a search that is true without Dagster."""
