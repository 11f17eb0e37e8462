"""The parameter space: axes, their values, candidates, and the keys of candidates.

Which candidates a search has is decided in `samplers`.
"""
