#!/usr/bin/env python3
"""Imports every checkpoint in a folder, to be split at "-----".

Usage: import-all.py FOLDER TCC
"""

import os
import subprocess
import sys


def imported(checkpoint, tcc):
    gguf = os.path.join(checkpoint, "model.gguf")
    path = gguf if os.path.exists(gguf) else checkpoint
    return subprocess.run([tcc, path, "--stop-after=import"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def main(folder, tcc):
    checkpoints = (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
    print("\n// -----\n".join(imported(checkpoint, tcc) for checkpoint in checkpoints
                             if os.path.isdir(checkpoint)))


if __name__ == "__main__":
    main(*sys.argv[1:])
