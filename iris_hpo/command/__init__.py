"""The command ``iris-hpo``."""
