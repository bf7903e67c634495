#!/usr/bin/env python3
"""Runs a kernel of this folder twice under each of some seeds and compares what
the two runs report, in all fields.

usage: repeat.py PTX-RUN KERNEL [--seeds N]

The same seed must give the same run; different ones must not, or the schedule
would not show in what is compared.
"""

import argparse
import json
import os
import sys
import tempfile

import cases


def differences(first, second, path="report"):
    """The paths of the fields that are not the same in two JSON values."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in first.keys() | second.keys():
            if key not in first or key not in second:
                yield f"{path}.{key}"
            else:
                yield from differences(first[key], second[key], f"{path}.{key}")
    elif isinstance(first, list) and isinstance(second, list):
        if len(first) != len(second):
            yield f"{path}: {len(first)} and {len(second)} elements"
        for i, pair in enumerate(zip(first, second)):
            yield from differences(*pair, f"{path}[{i}]")
    elif first != second or type(first) is not type(second):
        yield f"{path}: {first} and {second}"


def report(case, ptx_run, folder, seed):
    """Runs the case; returns its output, what it printed and its report."""
    path = os.path.join(folder, "report.json")
    os.environ["PTXSIM_REPORT"] = path
    data, message = case.run(ptx_run, os.path.join(folder, "kernel.ptx"), folder,
                             f"random:{seed}")
    with open(path) as file:
        return data, message, json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ptx_run")
    parser.add_argument("kernel", choices=cases.kernels)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    case = cases.kernels[options.kernel]()
    wrong, reports = 0, []
    with tempfile.TemporaryDirectory() as folder:
        case.write_inputs(folder)
        with open(os.path.join(folder, "kernel.ptx"), "w") as file:
            file.write(case.text)
        for seed in range(1, options.seeds + 1):
            first, second = (report(case, options.ptx_run, folder, seed)
                             for _ in range(2))
            differing = [*differences(first[2], second[2])]
            if first[0] is None or first[:2] != second[:2]:
                differing.append(f"output: {first[1]} and {second[1]}")
            for field in differing:
                print(f"{options.kernel} under seed {seed}: {field}")
            wrong += bool(differing)
            reports.append(first[2])
    print(f"{options.kernel}: {wrong} of {options.seeds} seeds differ")
    kinds = {json.dumps(dict(known, schedule=""), sort_keys=True) for known in reports}
    print(f"{options.kernel}: {len(kinds)} different reports")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
