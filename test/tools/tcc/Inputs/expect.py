#!/usr/bin/env python3
"""Runs a command that must fail: expect.py CODE MESSAGE COMMAND...

It must end with CODE and print nothing but "tcc: error: MESSAGE" to stderr. With
--usage in place of CODE that is 64, and a note follows."""

import subprocess
import sys

code, message, command = sys.argv[1], sys.argv[2], sys.argv[3:]
if code == "--usage":
    code, message = 64, message + "\ntcc: note: try --help"
done = subprocess.run(command, capture_output=True, text=True)
expected = int(code), f"tcc: error: {message}\n", ""
if (got := (done.returncode, done.stderr, done.stdout)) != expected:
    raise SystemExit(f"expected {expected}, got {got}")
