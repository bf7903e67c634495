#!/usr/bin/env python3
"""Runs a kernel of this folder under many schedules and checks its numbers.

usage: prove.py PTX-RUN KERNEL [--seeds N]

Every check of the simulator is on. The numbers must be right under the eager
and the lazy schedule and under N random ones, and nothing may be reported.
"""

import argparse
import os
import sys
import tempfile

import cases


def schedules(seeds):
    return ["eager", "lazy", *(f"random:{seed}" for seed in range(1, seeds + 1))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ptx_run")
    parser.add_argument("kernel", choices=cases.kernels)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    case = cases.kernels[options.kernel]()
    wrong = 0
    right = {}  # by output, so that the same bytes are compared once
    with tempfile.TemporaryDirectory() as folder:
        case.write_inputs(folder)
        path = os.path.join(folder, "kernel.ptx")
        with open(path, "w") as file:
            file.write(case.text)
        for schedule in schedules(options.seeds):
            data, printed = case.run(options.ptx_run, path, folder, schedule)
            message = printed
            if data is not None and data not in right:
                right[data] = case.check(data)
            if data is not None:
                message += right[data]
            if message:
                print(f"{case.name} under {schedule}:\n{message}")
                wrong += 1
    print(f"{case.name}: {wrong} of {options.seeds + 2} schedules wrong")
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
