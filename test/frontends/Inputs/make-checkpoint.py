"""Writes a tiny checkpoint.

    make-checkpoint.py folder PATH [PYTHON]
    make-checkpoint.py sharded PATH [PYTHON]
    make-checkpoint.py deepseek PATH [PYTHON]
    make-checkpoint.py gguf PATH [PYTHON]

PYTHON changes the configuration, `config`, or the `gguf`; folders
have also the type of all tensors, `dtype`.
"""

import copy
import os
import struct
import sys

import checkpoints


def main():
    kind, path, change = (sys.argv[1:] + [""])[:3]
    config = checkpoints.DEEPSEEK if kind == "deepseek" else checkpoints.CONFIG
    scope = {"config": copy.deepcopy(config), "dtype": "F32",
             "gguf": checkpoints.Gguf()}
    exec(change, globals(), scope)
    if kind == "gguf":
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(bytes(scope["gguf"]))
        return
    os.makedirs(path, exist_ok=True)
    files = checkpoints.hugging_face(scope["config"], scope["dtype"],
                                     {"folder": 1, "sharded": 3, "deepseek": 2}[kind])
    for name, data in files.items():
        with open(os.path.join(path, name), "wb") as file:
            file.write(data)


main()
