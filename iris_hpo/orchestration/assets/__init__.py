"""The six assets of a search, one module per stage."""
