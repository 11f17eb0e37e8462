"""The programs that are compared: each runs as a process of its own, as its user would write it."""
