"""The simulation of ``docs/truth.md``: whether what is reported of a champion is true.

Data sets are drawn from generators that can draw as many rows as needed, so the true score of every
model is known. The product's own code searches, chooses, estimates and refits in process.

make truth           100 data sets per generator, under 15 minutes; writes benchmarks/results/truth
                     and that page
make bench-quick     a few small data sets, to test the simulation; writes to build/benchmarks
"""
