"""What is learnt from: tables, the data set, splitters, and the stored split."""
