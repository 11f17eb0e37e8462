"""The comparisons of ``docs/performance.md``: ``iris_hpo`` beside other tools.

make bench           everything, under 20 minutes; writes benchmarks/results and that page
make bench-quick     the same at a small size, under 2 minutes; writes to build/benchmarks
"""
