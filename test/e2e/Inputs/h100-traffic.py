"""Counts launches and bytes of a prompt and of one token generated after it.

usage: h100-traffic.py MODEL REPORT

The model has one layer, the report of the simulator the launches of both steps.
"""

import json
import os
import sys

OUTSIDE = 4  # Launches before and after the layer.
SECTOR = 32

folder, path = sys.argv[1:]
config = json.load(open(os.path.join(folder, "config.json")))
report = json.load(open(path))
names = [report["kernels"][launch["kernel"]]["name"] for launch in report["launches"]]
[start] = [i for i, name in enumerate(names) if name.startswith("embedding") and i]

# Of the embedding, which is the head, all rows are read.
weights = os.path.getsize(os.path.join(folder, "model.safetensors"))
positions = 4
cache = positions * 2 * config["num_key_value_heads"] * config["head_dim"] * 2
hbm = sum(sum(launch["totals"]["hbm"].values()) for launch in report["launches"][start:])
ratio = hbm * SECTOR / (weights + cache)
limit = 1.05
print(f"prompt: {start - OUTSIDE} launches in the layer and {OUTSIDE} outside")
print(f"token: {len(names) - start - OUTSIDE} launches in the layer and {OUTSIDE} outside, " +
      (f"at most {limit}" if ratio <= limit else f"{ratio:.3f}") +
      " times the bytes of weights and cache")
