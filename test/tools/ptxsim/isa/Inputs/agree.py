"""Compares which spellings of instructions the simulator and ptxas take.

  agree.py PTX_RUN PTXAS VERSION SEED EACH [FAMILY …]

The spellings stand in a module of `.version VERSION`.

Prints every spelling that one takes and the other does not; the exit status is
1 if there are any.
"""

import os
import re
import subprocess
import sys
import tempfile

from families import FAMILIES, QUIRKS
from spellings import REGISTERS, spellings

HEAD = """.target sm_90a
.address_size 64
.visible .entry k()
.reqntid 128
{
"""


VERSION = "9.0"


def write(path, lines):
    """Writes a kernel of `lines`, of which None are left out."""
    with open(path, "w") as file:
        file.write(f".version {VERSION}\n{HEAD}")
        for kind in REGISTERS:
            if kind != "b128" or VERSION >= "8.3":
                file.write(f".reg .{kind} %{kind}_<40>; ")
        file.write(".reg .pred %p_<8>;\n")
        for line in lines:
            file.write(f"{line};\n" if line else "\n")
        file.write("ret;\n}\n")
    return HEAD.count("\n") + 3  # Where the first line stands.


CRASH = "crashes"


def findCrash(command, path, lines):
    """The index of a line with which `command` fails without naming a line."""
    left = [i for i, line in enumerate(lines) if line]
    while len(left) > 1:
        for part in (left[: len(left) // 2], left[len(left) // 2 :]):
            write(path, [line if i in part else None for i, line in enumerate(lines)])
            if subprocess.run(command + [path], capture_output=True).returncode != 0:
                left = part
                break
        else:
            return None
    return left[0]


def refused(command, path, lines, pattern):
    """The indices of the lines that `command` refuses, with what it says. A tool
    may see some errors only when others are gone."""
    lines = list(lines)
    result = {}
    while True:
        first = write(path, lines)
        run = subprocess.run(command + [path], capture_output=True, text=True)
        output = run.stdout + run.stderr
        fresh = {}
        for message in re.finditer(pattern, output):
            index = int(message["line"]) - first
            if 0 <= index < len(lines) and lines[index]:
                # An intrinsic of wmma that is not there is no fault of the line.
                crash = "symbol '__cuda" in message[0]
                fresh.setdefault(index, CRASH if crash else message[0])
        if not fresh:
            if run.returncode == 0:
                return result
            culprit = findCrash(command, path, lines)
            if culprit is None:
                sys.exit(f"expected {command[0]} to name lines, got:\n{output[-2000:]}")
            fresh[culprit] = CRASH
        for index in fresh:
            lines[index] = None
        result.update(fresh)


def main():
    global VERSION
    ptxRun, ptxas, VERSION, seed, each, *names = sys.argv[1:]
    disagreements = total = 0
    for name, templates in FAMILIES.items():
        if names and name not in names:
            continue
        lines = spellings(templates, int(each), int(seed))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "k.ptx")
            theirs = refused(
                [ptxas, "-arch=sm_90a", "-O0", "-o", os.path.join(folder, "k.cubin")],
                path, lines,
                r"(32-bit address on )?line '?(?P<line>\d+)('|; (error|fatal)) .*",
            )
            ours = refused([ptxRun, "--list"], path, lines, r":(?P<line>\d+):\d+: error: .*")
        total += len(lines)
        crashes = {index for index, message in theirs.items() if message == CRASH}
        both = len(theirs.keys() & ours.keys())
        print(f"{name}: {len(lines)} spellings, {len(lines) - len(theirs)} right")
        if both == 0 or len(theirs) == len(lines):
            sys.exit(f"{name}: expected spellings that are right and some that are not")
        for index in sorted((theirs.keys() ^ ours.keys()) - crashes):
            if index in ours and any(re.match(q, lines[index]) for q in QUIRKS):
                continue
            disagreements += 1
            if index in ours:
                print(f"  refused: {lines[index]}\n    ours: {ours[index]}")
            else:
                print(f"  taken: {lines[index]}\n    ptxas: {theirs[index]}")
    print(f"{disagreements} disagreements over {total} spellings")
    return disagreements != 0


if __name__ == "__main__":
    sys.exit(main())
