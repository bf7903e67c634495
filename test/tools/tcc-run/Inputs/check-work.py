"""Compares what a bench of one prompt says its kernels moved and computed with what
the compiler says of the same tokens: check-work.py BENCH.json REPORT.json

A decode step of the report attends to as many positions as it says; the bench is of
one decode step after so many tokens.
"""

import json
import sys

with open(sys.argv[1]) as file:
    bench = {kernel["name"]: kernel for kernel in json.load(file)["kernels"]}
with open(sys.argv[2]) as file:
    report = json.load(file)
compared = 0
for kernel in report["kernels"]:
    use, work = bench[kernel["name"]]["decode"], kernel["decode"]
    if use["launches"] == 0:
        continue
    assert use["launches"] == kernel["launches"], (use, kernel)
    assert (use["bytes"], use["flops"]) == (work["bytes"], work["flops"]), (use, kernel)
    compared += 1
assert compared > 5, compared
