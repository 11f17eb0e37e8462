"""What people look at: the figure of a selection."""
