"""Checks a report of --bench --json: check-bench.py FILE PROMPT GENERATE BATCH"""

import json
import sys

with open(sys.argv[1]) as file:
    report = json.load(file)
prompt, generate, batch = map(int, sys.argv[2:])
assert list(report) == ["prefill", "decode", "load_seconds", "first_token_seconds",
                        "peak_rss_bytes", "kernels"], list(report)
assert report["prefill"]["tokens"] == prompt * batch
assert report["decode"]["tokens"] == generate * batch
assert report["decode"]["batch"] == batch
for part in report["prefill"], report["decode"]:
    assert 0 < part["seconds_minimum"] <= part["seconds"] <= part["seconds_maximum"]
    rate = part["tokens"] / part["seconds"]
    assert abs(part["tokens_per_second"] / rate - 1) < 1e-9, part
assert 0 < report["load_seconds"] < report["first_token_seconds"]
assert report["peak_rss_bytes"] > 0
# Launches are measured in a run of their own.
for part in "prefill", "decode":
    uses = [kernel[part] for kernel in report["kernels"]]
    seconds = [use["seconds"] for use in uses]
    assert min(seconds) >= 0 < sum(seconds) < 3 * report[part]["seconds_maximum"], part
    assert all(use["bytes"] > 0 for use in uses if use["launches"] > 0), uses
