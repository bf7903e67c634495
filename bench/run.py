#!/usr/bin/env python3
"""Measures compiled models as shares of what the machine can do in the same run.

For each checkpoint: compiles it, runs `tcc-run --bench` and prints

  prefill   operations of the linear layers a second, as a share of the peak of the
            instruction that does most of them: multiply-adds of f32, vdpbf16ps, or
            products of i16 for weights in blocks
  linear    the same in the seconds that these layers take of it
  attention, routing
            shares of the seconds of the prefill: routing is the choice of experts, the
            sorting of tokens by them and the sum of their results
  decode    bytes of weights, of experts only those that are used, and of the cache a
            second, as a share of the bandwidth with which the machine reads memory

with the medians that tcc-run prints, and medians of peaks measured three times before and
three times after. Prints one line for each checkpoint, or JSON with --json.

usage: run.py [--build DIR] [--march CPU] [--prompt N] [--generate N] [--json] CHECKPOINT...
"""
import argparse
import collections
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# The peaks of `peaks` for what a kernel is configured to use.
PEAKS = {"fma": "fma_f32_flops", "dot": "dot_bf16_flops", "integer": "dot_i16_ops"}


def kind(name):
    """Returns what the kernel `name` belongs to."""
    if name in ("route", "dispatch", "combine"):
        return "routing"
    return next((kind for kind in ("linear", "attention") if kind in name), "other")


def measure(build, march, checkpoint, prompt, generate):
    tool = lambda name: os.path.join(build, "bin", name)
    report = json.loads(output(tool("tcc"), checkpoint, march, "--report", "--json"))
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model.bin")
        start = time.monotonic()
        output(tool("tcc"), checkpoint, march, "-o", model)
        compile_seconds = time.monotonic() - start
        measured = [json.loads(output(tool("peaks"))) for _ in range(3)]
        bench = json.loads(output(tool("tcc-run"), model, "--json",
                                  f"--bench={prompt},{generate}"))
        measured += [json.loads(output(tool("peaks"))) for _ in range(3)]
    peaks = {key: statistics.median(each[key] for each in measured)
             for key in measured[0]}
    flops = collections.Counter()
    for kernel in report["kernels"]:
        if "linear" in kernel["name"]:
            arithmetic = re.search(r"arithmetic = (\w+)", kernel["configuration"])[1]
            flops[arithmetic] += kernel["prefill"]["flops"] / report["prefill"]["tokens"]
    linear = sum(flops.values())
    [(arithmetic, _)] = flops.most_common(1)
    # What the kernels of a step move, with as many positions as the run has.
    step = (report["decode"]["bytes"]
            + report["cache_bytes_per_token"]
            * (prompt + generate / 2 - report["decode"]["keys"]))
    prefill, decode = bench["prefill"], bench["decode"]
    decode_step = decode["seconds"] * decode["batch"] / decode["tokens"]
    seconds = collections.Counter()
    for kernel in bench["kernels"]:
        seconds[kind(kernel["name"])] += kernel["prefill"]["seconds"]
    total = sum(seconds.values())
    return {
        "checkpoint": os.path.basename(checkpoint),
        "compile_seconds": compile_seconds,
        "prefill_share": linear * prefill["tokens"] / prefill["seconds"]
                         / peaks[PEAKS[arithmetic]],
        "linear_share": linear * prefill["tokens"] / seconds["linear"]
                        / peaks[PEAKS[arithmetic]],
        "prefill_arithmetic": arithmetic,
        "attention_share": seconds["attention"] / total,
        "routing_share": seconds["routing"] / total,
        "decode_share": step / decode_step / peaks["read_bytes"],
        "bench": bench,
        "peaks": peaks,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--build", default="build")
    parser.add_argument("--march", default="native")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    march = f"--march={options.march}"
    results = [measure(options.build, march, checkpoint, options.prompt,
                       options.generate)
               for checkpoint in options.checkpoints]
    if options.json:
        json.dump(results, sys.stdout, indent=2)
        print()
        return
    for result in results:
        bench = result["bench"]
        print(f"{result['checkpoint']:28} prefill {bench['prefill']['tokens_per_second']:8.1f} "
              f"tokens/s, {100 * result['prefill_share']:5.1f} % of the peak of {result['prefill_arithmetic']}, "
              f"linear {100 * result['linear_share']:5.1f} %, "
              f"attention {100 * result['attention_share']:4.1f} %, "
              f"routing {100 * result['routing_share']:4.2f} %   "
              f"decode {bench['decode']['tokens_per_second']:7.1f} tokens/s, "
              f"{100 * result['decode_share']:5.1f} % of bandwidth   "
              f"first token {bench['first_token_seconds']:.3f} s, "
              f"compile {result['compile_seconds']:.1f} s")


if __name__ == "__main__":
    main()
