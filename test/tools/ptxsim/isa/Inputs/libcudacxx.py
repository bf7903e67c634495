#!/usr/bin/env python3
"""Loads every instruction that the headers of libcu++ write.

usage: libcudacxx.py PTX-RUN PTXAS

Each asm statement of cuda/__ptx becomes a kernel of its own with registers of the
types that its constraints name. What ptxas takes for sm_90a must be taken.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

HEADER = ".version 8.8\n.target sm_90a\n.address_size 64\n"
TYPES = {"r": ".b32", "l": ".b64", "h": ".b16", "f": ".f32", "d": ".f64",
         "q": ".b128"}
NEWER = ("tcgen05", "clusterlaunchcontrol", "multimem", "st_bulk")  # Than sm_90.
TEXT = r'"((?:[^"\\]|\\.)*)"'
STATEMENT = re.compile(rf"asm(?: volatile)?\(((?:\s*{TEXT})+)(.*?)\);", re.DOTALL)


def kernels(folder):
    """The kernels, one for each statement, on one line each."""
    seen = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.h"))):
        if os.path.basename(path).startswith(NEWER):
            continue
        with open(path) as file:
            text = file.read()
        for match in STATEMENT.finditer(text):
            lines = "".join(re.findall(TEXT, match[1])).split("\\n")
            body = " ".join(re.sub(r"//.*|\\t", "", line) for line in lines)
            operands = re.findall(r'"[=+]?([a-z])"\s*\(', match[3])
            seen.setdefault((body, tuple(operands)))
    for number, (body, operands) in enumerate(seen):
        registers = ""
        for i, letter in enumerate(operands):
            name = "1" if letter == "n" else f"%v{i}"
            body = re.sub(rf"%{i}(?!\d)", name, body)
            if letter != "n":
                registers += f".reg {TYPES[letter]} {name}; "
        body = body.replace("%%", "%")
        yield f".visible .entry k{number}() {{ {registers}{body} ret; }}\n"


def write(path, lines):
    with open(path, "w") as file:
        file.write(HEADER + "".join(lines))


def rejected(ptxas, path):
    done = subprocess.run([ptxas, "-arch=sm_90a", path, "-o", os.devnull],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    return {int(line) for line in re.findall(r"line (\d+); (?:error|fatal)",
                                             done.stdout)}


def main():
    ptx_run, ptxas = sys.argv[1:]
    root = os.path.dirname(os.path.dirname(os.path.realpath(ptxas)))
    lines = list(kernels(
        os.path.join(root, "include/cccl/cuda/__ptx/instructions/generated")))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "all.ptx")
        write(path, lines)
        bad = rejected(ptxas, path)
        start = HEADER.count("\n") + 1
        lines = [line for i, line in enumerate(lines) if i + start not in bad]
        write(path, lines)
        done = subprocess.run([ptx_run, "--list", path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout)
    print(f"{len(lines)} kernels, exit code {done.returncode}")


if __name__ == "__main__":
    main()
