"""Side-by-side measurements; each prints a ratio against a reference taken in the same run."""
