#!/usr/bin/env python3
"""Holds the logits of a text against recorded ones: check-steps.py STEPS.json RUN MODEL LOGITS.npy

STEPS.json is what test/fixtures/smollm2/make.py writes: greedy steps in float64
from the same dequantised weights. RUN is tcc-run, MODEL the compiled model. The
prompt and the recorded continuation go in as one sequence; then

- each of the best eight logits of each step is within ERROR of the recorded one;
- the best token is the recorded one wherever the two best recorded logits differ
  by more than 2 ERROR.

ERROR is what activations in bf16 cost these logits, which are 10 to 25: eight bits
of mantissa are half a percent of 25, and the layers add up to about that.
"""

import importlib.util
import json
import pathlib
import subprocess
import sys

ERROR = 0.2

here = pathlib.Path(__file__).resolve().parent
specification = importlib.util.spec_from_file_location(
    "compare_logits", here.parent / "compare-logits.py")
compare_logits = importlib.util.module_from_spec(specification)
specification.loader.exec_module(compare_logits)

recorded, tcc_run, model, logits = sys.argv[1:]
with open(recorded) as file:
    text = json.load(file)
tokens = text["prompt_ids"] + text["ids"][:-1]
subprocess.run([tcc_run, model, "--tokens", ",".join(map(str, tokens)),
                "--max-tokens", "0", "--logits", logits], check=True)
(_, columns), values = compare_logits.read_npy(logits)

largest, agreed, failures = 0.0, 0, []
for number, (step, token) in enumerate(zip(text["steps"], text["ids"])):
    row = len(text["prompt_ids"]) - 1 + number
    got = values[row * columns:(row + 1) * columns]
    largest = max([largest] + [abs(got[i] - logit) for i, logit in step["top8"]])
    best = max(range(columns), key=got.__getitem__)
    agreed += best == token
    if best != token and step["margin"] > 2 * ERROR:
        failures.append(f"step {number}: expected {token} by {step['margin']:.3f}, got {best}")
print(f"{agreed} of {len(text['ids'])} tokens agree, logits differ by at most {largest:.3f}",
      flush=True)
if largest > ERROR:
    failures.append(f"expected logits within {ERROR}, got {largest:.3f}")
if failures:
    raise SystemExit("\n".join(failures))
