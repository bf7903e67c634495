#!/usr/bin/env python3
"""Breaks the kernels of this folder in the ways that mutations.py knows, and looks
whether the simulator says so.

usage: mutate.py PTX-RUN [--kernel NAME] [--seeds N] [--every N] [--table]

Each mutant runs under the eager and the lazy schedule and under N random ones,
with every check on. It must be reported, or else be right under all of them and
have a sentence in redundant.py that says why. Wrong numbers without a report, a
crash and a hang are failures, and so is a sentence for a mutant that is reported.
"""

import argparse
import collections
import concurrent.futures
import os
import re
import sys

import cases
import mutations
import prove
import redundant
import table

ENOUGH = 20  # schedules for a mistake that shows under few of them
REPORT = re.compile(r"^ptxsim: error: ([\w. ]+): ", re.MULTILINE)


class Verdict:
    """What is to be said of a mutant after all its runs.

    `checks` counts what the runs say: the check that reports, "" if all is right,
    or what is wrong after a "!".
    """

    def __init__(self, kernel, mutation, checks):
        self.kernel = kernel
        self.mutation = mutation
        self.runs = len(checks)
        self.checks = collections.Counter(check for check in checks if check)
        self.reason = redundant.reason(kernel, mutation)

    def failure(self):
        """Returns "" or what is wrong."""
        for check in self.checks:
            if check[0] == "!":
                return check[1:]
        if not self.checks and not self.reason:
            return "changes nothing, and redundant.py does not say why"
        if self.checks and self.reason and not self.reason.is_rare:
            return f"{self.words()}, although {self.reason.why}"
        if not self.checks and self.reason.is_rare and self.runs >= ENOUGH:
            return f"never reported, although {self.reason.why}"
        return ""

    def words(self):
        if not self.checks:
            return table.NOTHING + (self.reason.why if self.reason else "?")
        listed = ", ".join(f"{check} ({count})"
                           for check, count in self.checks.most_common())
        return f"reported by {sum(self.checks.values())} of {self.runs}: {listed}"


def judge(mutation, case, ptx_run, schedules, right):
    """Runs a mutant under all schedules; returns what Verdict counts."""
    checks = []
    for schedule in schedules:
        data, printed = prove.run(case, ptx_run, schedule, mutation.text,
                                  timeout=60)
        report = REPORT.search(printed)
        if report is not None and data is None:
            checks.append(report[1])
        elif data is None or printed:
            checks.append(f"!{schedule}: expected a report or a right result, "
                          f"got: {printed.strip()}")
        else:
            checks.append("" if data == right else f"!{schedule}: wrong numbers")
    return checks


def verdicts(kernel, options, pool):
    """Yields those of the mutants of a kernel."""
    case = cases.kernels[kernel]()
    right, printed = prove.run(case, options.ptx_run, "eager")
    wrong = printed if right is None else case.check(right)
    if wrong:
        sys.exit(f"{kernel}: expected a kernel that is right: {wrong}")
    mutants = list(mutations.mutations(case.text))[::options.every]
    schedules = prove.schedules(options.seeds)
    results = pool.map(lambda mutation: judge(mutation, case, options.ptx_run,
                                              schedules, right), mutants)
    for mutation, checks in zip(mutants, results):
        yield Verdict(kernel, mutation, checks)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ptx_run")
    parser.add_argument("--kernel", choices=cases.kernels, action="append",
                        help="all of them if none is named")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1,
                        help="take each Nth mutant only")
    parser.add_argument("--table", action="store_true",
                        help="print MUTATIONS.md")
    options = parser.parse_args()
    failures = count = 0
    if options.table:
        print(table.INTRODUCTION, end="")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for kernel in options.kernel or cases.kernels:
            if options.table:
                print(table.head(kernel), end="")
            for verdict in verdicts(kernel, options, pool):
                count += 1
                if options.table:
                    print(table.row(verdict.mutation, verdict.words()))
                failure = verdict.failure()
                if failure:
                    failures += 1
                    print(f"{kernel}:{verdict.mutation}: {failure}",
                          file=sys.stderr if options.table else sys.stdout)
    print(f"{failures} of {count} mutants are not reported",
          file=sys.stderr if options.table else sys.stdout)
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
