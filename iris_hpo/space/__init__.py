"""The parameter space: axes, candidates, and the keys of candidates."""
