"""Calls every function of a library with one number for all parameters.

Usage: nulls.py LIBRARY PREFIX NUMBER
"""

import ctypes
import subprocess
import sys

from cuda import check, start


# Returns a structure through a hidden pointer.
EXCEPTIONS = {"cudaCreateChannelDesc"}


def functions(path, prefix):
    lines = subprocess.run(["nm", "-D", "--defined-only", path], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    names = {line.split()[-1].split("@")[0] for line in lines}
    return sorted(name for name in names - EXCEPTIONS
                  if name.startswith(prefix))


def main(path, prefix, number):
    library = ctypes.CDLL(path)
    context = start()
    names = functions(path, prefix)
    for name in names:
        # The last line tells which one did not return.
        print(name, flush=True)
        getattr(library, name)(*[ctypes.c_void_p(int(number, 0))] * 14)
        check("cuCtxSetCurrent", context)
    print(len(names) > 300, "all returned")


main(*sys.argv[1:])
