#!/usr/bin/env python3
"""Runs a kernel of this folder under many schedules and checks its numbers.

usage: prove.py PTX-RUN KERNEL [--seeds N] [--shapes]

Every check of the simulator is on. The numbers must be right under the eager
and the lazy schedule and under N random ones, and nothing may be reported.
"""

import argparse
import concurrent.futures
import os
import sys
import tempfile

import cases
import shapes


def schedules(seeds):
    return ["eager", "lazy", *(f"random:{seed}" for seed in range(1, seeds + 1))]


def run(case, ptx_run, schedule, text=None, timeout=300):
    """Runs a case in a folder of its own, perhaps with another kernel; returns
    what Case.run does."""
    with tempfile.TemporaryDirectory() as folder:
        case.write_inputs(folder)
        path = os.path.join(folder, "kernel.ptx")
        with open(path, "w") as file:
            file.write(text or case.text)
        return case.run(ptx_run, path, folder, schedule, timeout=timeout)


def prove(case, name, options, pool):
    """Prints what is wrong; returns how many schedules are."""
    wrong = 0
    right = {}  # by output, so that the same bytes are compared once
    results = pool.map(lambda schedule: run(case, options.ptx_run, schedule),
                       schedules(options.seeds))
    for schedule, (data, message) in zip(schedules(options.seeds), results):
        if data is not None and data not in right:
            right[data] = case.check(data)
        if data is not None:
            message += right[data]
        if message:
            print(f"{name} under {schedule}:\n{message}")
            wrong += 1
    print(f"{name}: {wrong} of {options.seeds + 2} schedules wrong")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ptx_run")
    parser.add_argument("kernel", choices=cases.kernels)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shapes", action="store_true",
                        help="in all the shapes of shapes.py, not only in one")
    options = parser.parse_args()
    chosen = [(cases.kernels[options.kernel](), options.kernel)]
    if options.shapes:
        chosen = [(case, f"{options.kernel} with {sizes}")
                  for case, sizes in shapes.shapes(options.kernel)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = sum(prove(case, name, options, pool) for case, name in chosen)
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
