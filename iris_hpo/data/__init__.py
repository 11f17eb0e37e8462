"""What is learnt from: tables, the data set, its division, and the stored split."""
