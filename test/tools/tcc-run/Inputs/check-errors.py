"""Runs tcc-run and compares exit codes and messages.

    check-errors.py TEST-FILE FOLDER TCC-RUN

A test file has cases of two lines:

    run: the arguments
    65: the message, without the program's name

Each case runs in FOLDER, which must hold the same files afterwards, with the
same contents; stdout must stay empty. With code 0 there is no message.
"""

import hashlib
import os
import shlex
import subprocess
import sys


def parse(path):
    """The cases of a test file."""
    cases = []
    for number, line in enumerate(open(path), 1):
        key, _, value = line.rstrip("\n").partition(": ")
        key = key.rstrip(":")
        if key == "run":
            cases.append((number, value))
        elif key.isdigit():
            error = f"tcc-run: error: {value}\n" if value else ""
            cases[-1] += (int(key), error)
    return cases


def contents(folder):
    """The digest of each file and the target of each link."""
    result = {}
    for entry in os.scandir(folder):
        if entry.is_symlink():
            result[entry.name] = os.readlink(entry)
        elif entry.is_file():
            with open(entry, "rb") as file:
                result[entry.name] = hashlib.sha256(file.read()).hexdigest()
        else:
            result[entry.name] = sorted(os.listdir(entry)) if entry.is_dir() else None
    return result


def main():
    test, folder, program = sys.argv[1:]
    cases, passed = parse(test), 0
    before = contents(folder)
    for number, arguments, code, message in cases:
        result = subprocess.run([program] + shlex.split(arguments), cwd=folder,
                                capture_output=True, text=True, timeout=60)
        after = contents(folder)
        if (result.returncode, result.stderr, after) == (code, message, before) and (
                code == 0 or not result.stdout):
            passed += 1
            continue
        changed = [name for name in before.keys() | after.keys()
                   if before.get(name) != after.get(name)]
        print(f"line {number}: {arguments}\nexpected {code}: {message}\n"
              f"got      {result.returncode}: {result.stderr}\n"
              f"stdout   {result.stdout!r}\nchanged  {changed}")
    print(f"{passed} of {len(cases)} cases passed")
    sys.exit(0 if cases and passed == len(cases) else 1)


main()
