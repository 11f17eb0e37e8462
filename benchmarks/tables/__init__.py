"""Tables as people have them: which of them can a search learn from, with no more than a target."""
