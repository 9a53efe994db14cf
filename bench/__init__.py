"""Measure Lectern beside plain JupyterHub on one machine, in one run.

`make bench` runs ``python -m bench`` from the checkout: it writes raw samples to
docs/bench.json and the page docs/benchmarks.md from them.
"""
