#!/usr/bin/env python3
"""The table of mutations in the documentation.

usage: table.py MUTATIONS.md

Compares the table in a file with the mutants that there are, without running them:
which rows there are, and which of them say that the mutation changes nothing.
"""

import argparse
import re
import sys

import cases
import mutations
import redundant

NOTHING = "changes nothing: "

INTRODUCTION = """\
# Mutations

What the simulator says when one synchronisation of a correct kernel is missing or
too weak. The kernels are in `test/tools/ptxsim/proof/`: `gemm.py`, a matrix product
of clusters with TMA, multicast and wgmma; `attention.py`, attention in the manner of
FlashAttention-3. `mutations.py` deletes or weakens each instruction that
synchronises; each mutant runs under the eager, the lazy and 20 random schedules.

None gives wrong numbers without a report, crashes or hangs. A verdict names the
checks that report with the number of schedules, or says why the mutant is right.

This file is printed by

    test/tools/ptxsim/proof/mutate.py build/bin/ptx-run --seeds 20 --table

`./check` runs each fifth mutant under three random schedules, `./check --long` all of
them under 20.
"""


def head(kernel):
    return f"""
## {kernel}

| line | after label | instruction | mutation | verdict |
|---|---|---|---|---|
"""


def row(mutation, words):
    instruction = mutation.instruction.replace("|", "\\|")
    return (f"| {mutation.line} | {mutation.label} | `{instruction}` | "
            f"{mutation.what} | {words} |")


def expected():
    """The rows that there must be, without what the checks say."""
    for name, kernel in cases.kernels.items():
        for mutation in mutations.mutations(kernel().text):
            why = redundant.reason(name, mutation)
            yield row(mutation, NOTHING + why.why if why and not why.is_rare
                      else "reported")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    with open(parser.parse_args().file) as file:
        lines = [re.sub(r"reported by .* \|$", "reported |", line.rstrip("\n"))
                 for line in file]
    found = [line for line in lines if re.match(r"\| \d", line)]
    wanted = list(expected())
    missing = [line for line in wanted if line not in found]
    extra = [line for line in found if line not in wanted]
    for line in missing:
        print(f"missing: {line}")
    for line in extra:
        print(f"not a mutant: {line}")
    if len(found) != len(wanted):
        print(f"expected {len(wanted)} rows, got {len(found)}")
    sys.exit(bool(missing or extra) or len(found) != len(wanted))


if __name__ == "__main__":
    main()
