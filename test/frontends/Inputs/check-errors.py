"""Runs the cases of a test file and compares exit codes and messages.

    check-errors.py TEST-FILE FOLDER TCC-IMPORT

A test file has a line `base: NAME`, which stays in force until the next, and
cases of these lines, in this order:

    case: Python that changes the base (see `bases`); may be empty
    files: Python that changes the files made from it: {name: bytes}
    run: the arguments of tcc-import, if not `model -o model.fbs`
    65: the message, without the program's name; more lines follow with the same code

Each case runs in a new folder whose files lie in `model`, and must leave no file
behind. With code 0 there is no message.
"""

import copy
import json
import os
import shlex
import shutil
import struct
import subprocess
import sys

import checkpoints
from checkpoints import (Gguf, edit_header, edit_tensors, hugging_face,
                         safetensors, set_element)


def hugging_face_files(scope):
    return hugging_face(scope["config"], scope["dtype"], scope["shards"],
                        scope["extra"])


def hugging_face_scope(shards):
    return {"config": copy.deepcopy(checkpoints.CONFIG), "dtype": "F32",
            "shards": shards, "extra": {}, "make": hugging_face_files}


def deepseek_scope(dtype):
    return {"config": copy.deepcopy(checkpoints.DEEPSEEK), "dtype": dtype,
            "shards": 1, "extra": {}, "make": hugging_face_files}


bases = {
    # config, dtype, extra: the configuration, the type of all tensors, and
    # {name: (dtype, shape)} of tensors beside those of a Llama.
    "folder": lambda: hugging_face_scope(1),
    "sharded": lambda: hugging_face_scope(2),
    # The same of a DeepSeek in FP8, and its config alone.
    "deepseek": lambda: deepseek_scope("FP8"),
    "deepseek-config": lambda: {
        "config": copy.deepcopy(checkpoints.DEEPSEEK),
        "make": lambda scope: {
            "config.json": json.dumps(scope["config"]).encode()}},
    # config alone.
    "config": lambda: {
        "config": copy.deepcopy(checkpoints.CONFIG),
        "make": lambda scope: {
            "config.json": json.dumps(scope["config"]).encode()}},
    # tokenizer: a tokenizer.json, in a folder without weights.
    "tokenizer": lambda: {
        "tokenizer": copy.deepcopy(checkpoints.TOKENIZER),
        "make": lambda scope: {
            "config.json": json.dumps(checkpoints.CONFIG).encode(),
            "tokenizer.json": json.dumps(scope["tokenizer"]).encode()}},
    # gguf: a checkpoints.Gguf; the file is model/x.gguf.
    "gguf": lambda: {"gguf": Gguf(),
                     "make": lambda scope: {"x.gguf": bytes(scope["gguf"])}},
    "empty": lambda: {"make": lambda scope: {}},
}
arguments = {
    "config": "model/config.json --no-weights -o model.fbs",
    "deepseek-config": "model/config.json --no-weights -o model.fbs",
    "gguf": "model/x.gguf -o model.fbs",
    "tokenizer": "model --no-weights -o model.fbs",
}


def parse(path):
    """The cases of a test file."""
    base, cases = None, []
    for number, line in enumerate(open(path), 1):
        key, separator, value = line.rstrip("\n").partition(": ")
        key = key.rstrip(":")
        if line.startswith("#") or not line.strip():
            continue
        if key == "base":
            base = value
        elif key == "case":
            cases.append({"line": number, "base": base, "case": value,
                          "files": "", "messages": [], "code": 0,
                          "run": arguments.get(base, "model -o model.fbs")})
        elif key.isdigit():
            cases[-1]["code"] = int(key)
            if value and not value.startswith("note: "):
                value = f"error: {value}"
            if value:
                cases[-1]["messages"].append(f"tcc-import: {value}")
        else:
            cases[-1][key] = value
    return cases


def all_files(folder):
    return sorted(os.path.join(parent, name)
                  for parent, _, names in os.walk(folder) for name in names)


def run(case, folder, program):
    """Runs one case; returns whether it did what is expected."""
    scope = bases[case["base"]]()
    exec(case["case"], globals(), scope)
    files = scope["make"](scope)
    exec(case["files"], globals(), {"files": files})
    os.makedirs(os.path.join(folder, "model"))
    for name, data in files.items():
        with open(os.path.join(folder, "model", name), "wb") as file:
            file.write(data)
    before = all_files(folder)
    result = subprocess.run([program] + shlex.split(case["run"]), cwd=folder,
                            capture_output=True, text=True, timeout=60)
    messages = result.stderr.splitlines()
    if case["code"] == 0:
        before = sorted(before + [os.path.join(folder, "model.fbs")])
    if (result.returncode, messages, all_files(folder)) == (
            case["code"], case["messages"], before):
        return True
    print(f"line {case['line']}: {case['case']} {case['files']}\n"
          f"expected {case['code']}: {case['messages']}\n"
          f"got      {result.returncode}: {messages}")
    for file in set(all_files(folder)) ^ set(before):
        print(f"unexpected or missing file {file}")
    return False


def main():
    test, folder, program = sys.argv[1:]
    shutil.rmtree(folder, ignore_errors=True)
    cases = parse(test)
    good = [run(case, os.path.join(folder, str(case["line"])), program)
            for case in cases]
    print(f"{sum(good)} of {len(cases)} cases passed")
    sys.exit(0 if cases and all(good) else 1)


main()
