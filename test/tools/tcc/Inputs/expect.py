#!/usr/bin/env python3
"""Runs a command that must fail: expect.py CODE TEXT COMMAND...

It must end with CODE, print nothing to stdout and TEXT to stderr."""

import subprocess
import sys

code, text, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
done = subprocess.run(command, capture_output=True, text=True)
if done.returncode != code or text not in done.stderr or done.stdout:
    raise SystemExit(f"expected {code} and '{text}', got {done.returncode} and\n"
                     f"{done.stdout}{done.stderr}")
