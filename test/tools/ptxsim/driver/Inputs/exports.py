"""Compares exported functions with the lists of them and with NVIDIA's.

Usage: exports.py SOURCES LIBRARIES [TOOLKIT]
"""

import os
import re
import subprocess
import sys


def exported(path):
    """Returns the names of the functions that a library defines."""
    lines = subprocess.run(["nm", "-D", "--defined-only", path], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    fields = [line.split() for line in lines]
    return {name.split("@")[0] for _, kind, name in fields if kind in "TW"}


def entries(folder):
    """Yields symbol, name, version, twin of each function in the lists."""
    for file in ["Entries.def", "Missing.def"]:
        text = open(os.path.join(folder, file)).read()
        pattern = r"PTXSIM_\w+\(\s*(\w+),\s*\"(\w+)\",\s*(\d+),\s*(\w+)\)"
        for match in re.finditer(pattern, text):
            symbol, name, version, twin = match.groups()
            yield symbol, name, int(version), twin == "true"


def expect_same(what, expected, got, says):
    if expected != got:
        print(f"{what}: missing {sorted(expected - got)}, "
              f"too many {sorted(got - expected)}")
        sys.exit(1)
    print(f"{what}: {says}")


def main(sources, libraries, toolkit=None):
    listed = list(entries(os.path.join(sources, "tools/ptxsim/driver")))
    names = {symbol for symbol, _, _, _ in listed}
    for file in ["libcuda.so.1", "glibc-hwcaps/x86-64-v4/libcuda.so.1"]:
        expect_same(file, names, exported(os.path.join(libraries, file)),
                    f"{len(names)} functions as listed")
    runtime = exported(os.path.join(libraries, "libcudart.so.13"))
    print(f"libcudart.so.13: {len(runtime)} functions")
    if not toolkit:
        return
    lib = os.path.join(toolkit, "lib64")
    expect_same("libcuda.so.1", exported(os.path.join(lib, "stubs/libcuda.so")),
                names, "the same as NVIDIA's")
    expect_same("libcudart.so.13", exported(os.path.join(lib, "libcudart.so.13")),
                runtime, "the same as NVIDIA's")
    types = "".join(open(os.path.join(toolkit, "include", header)).read()
                    for header in ["cudaTypedefs.h", "cudaProfilerTypedefs.h"])
    for symbol, name, version, twin in listed:
        suffix = "_(ptsz|ptds)" if twin else ""
        if not re.search(rf"PFN_{name}_v{version}{suffix}\)", types):
            print(f"{symbol}: version {version} is not in cudaTypedefs.h")
            sys.exit(1)
    print(f"{len(listed)} versions as in cudaTypedefs.h")


main(*sys.argv[1:])
