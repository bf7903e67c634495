#!/usr/bin/env python3
"""Runs the commands of a document: check-console.py DOCUMENT.md BIN FOLDER

In a block marked ```console, a line that begins with "$ " is a command (a backslash
at its end goes on in the next line); what follows up to the next one is what it
prints to stdout. "..." stands for any text in a line, and alone for any lines.
Commands run with bash in FOLDER, one after another; BIN comes first in PATH, and
the variable TCC is the root of the repository.
"""

import os
import pathlib
import re
import subprocess
import sys


def read_blocks(text):
    """Yields (line number, command, expected lines)."""
    inside, steps = False, []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            steps.append((number, line[2:], []))
        elif inside and steps[-1][1].endswith("\\") and not steps[-1][2]:
            steps[-1] = (steps[-1][0], steps[-1][1] + "\n" + line, [])
        elif inside:
            steps[-1][2].append(line)
    return steps


def pattern_of(lines):
    """What output must look like to be `lines`."""
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(map(re.escape, line.rstrip().split("..."))) + r"[ ]*\n")
    return re.compile("".join(parts))


def main():
    document, tools, folder = sys.argv[1:]
    root = pathlib.Path(__file__).resolve().parents[2]
    environment = {**os.environ, "TCC": str(root),
                   "PATH": f"{tools}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    os.makedirs(folder, exist_ok=True)
    steps = read_blocks(pathlib.Path(document).read_text())
    for number, command, expected in steps:
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", command], cwd=folder,
                              env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{document}:{number}: {command}: ended with "
                             f"{done.returncode}\n{done.stderr}")
        if not pattern_of(expected).fullmatch(done.stdout):
            raise SystemExit(f"{document}:{number}: {command}: expected\n"
                             + "\n".join(expected) + "\ngot\n" + done.stdout)
    print(f"{len(steps)} commands do what {os.path.basename(document)} says")


main()
