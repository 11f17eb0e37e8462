"""A function that returns at once."""


def add(c: float, gamma: float) -> float:
    """Add two numbers."""
    return c + gamma
