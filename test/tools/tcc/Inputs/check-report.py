#!/usr/bin/env python3
"""Holds the report of Llama-3.2-1B against sums made here: check-report.py REPORT.json"""

import json
import sys

with open(sys.argv[1]) as file:
    report = json.load(file)
hidden, inner, layers, vocabulary, head = 2048, 8192, 16, 128256, 64
queries, keys = 32 * head, 8 * head
layer = hidden * (queries + 2 * keys) + queries * hidden + 3 * hidden * inner
linear = layers * layer + vocabulary * hidden
attention = layers * 4 * 32 * head  # Two products for each key.


def close(name, got, expected, tolerance):
    if not abs(got - expected) <= tolerance * expected:
        raise SystemExit(f"{name}: expected {expected} within {tolerance}, got {got}")


decode, prefill = report["decode"], report["prefill"]
close("decode flops", decode["flops"], 2 * linear + decode["keys"] * attention, 1e-3)
close("decode bytes", decode["bytes"],
      2 * (linear + (2 * layers + 1) * hidden)
      + report["cache_bytes_per_token"] * decode["keys"], 3e-3)
tokens = prefill["tokens"]
close("prefill flops", prefill["flops"],
      tokens * (2 * layers * layer + (tokens + 1) / 2 * attention)
      + 2 * vocabulary * hidden, 1e-3)
[kernel] = [kernel for kernel in report["kernels"] if kernel["name"] == "attention"]
close("prefill flops of attention", kernel["prefill"]["flops"],
      tokens * (tokens + 1) / 2 * attention, 0)
close("prefill bytes of attention", kernel["prefill"]["bytes"],
      tokens * (report["cache_bytes_per_token"] + 2 * layers * 2 * queries), 0)
for figure in ("flops", "bytes"):
    for phase in ("decode", "prefill"):
        total = sum(kernel[phase][figure] for kernel in report["kernels"])
        close(f"{phase} {figure} of all kernels", total, report[phase][figure], 0)
