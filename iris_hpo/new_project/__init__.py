"""What a new search begins with: a task, an estimator, values to search, and its description.

``iris-hpo init`` and ``dg scaffold defs`` write it; where files go is decided there.
"""
