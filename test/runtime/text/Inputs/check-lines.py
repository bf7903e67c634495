"""Runs the cases of a test file with tcc-run and compares what comes out.

    check-lines.py TEST-FILE FOLDER TCC-RUN MODEL.bin

A case is a line `tokenize: PYTHON` or `detokenize: PYTHON`, where PYTHON is the
bytes of the file `in.jsonl`; then the lines that tcc-run writes and, if it fails,
its exit code and message as `65: MESSAGE`.
"""

import os
import subprocess
import sys


def parse(path):
    cases = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        key, separator, value = line.partition(": ")
        if line.startswith("#") or not line:
            continue
        if key in ("tokenize", "detokenize"):
            cases.append({"line": number, "mode": key, "input": eval(value),
                          "output": [], "code": 0, "message": []})
        elif key.isdigit():
            cases[-1]["code"] = int(key)
            cases[-1]["message"].append(f"tcc-run: error: {value}")
        else:
            cases[-1]["output"].append(line)
    return cases


def run(case, folder, program, model):
    with open(os.path.join(folder, "in.jsonl"), "wb") as file:
        file.write(case["input"])
    result = subprocess.run([program, model, f"--{case['mode']}", "in.jsonl"],
                            cwd=folder, capture_output=True, timeout=60)
    output = result.stdout.decode("utf-8").split("\n")[:-1]
    messages = result.stderr.decode("utf-8").splitlines()
    got = (output, result.returncode, messages)
    if got == (case["output"], case["code"], case["message"]):
        return True
    print(f"line {case['line']}: expected {case['output']}, {case['code']}, "
          f"{case['message']}\ngot {got}")
    return False


def main():
    test, folder, program, model = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    cases = parse(test)
    good = [run(case, folder, program, os.path.abspath(model)) for case in cases]
    print(f"{sum(good)} of {len(cases)} cases passed")
    sys.exit(0 if cases and all(good) else 1)


main()
