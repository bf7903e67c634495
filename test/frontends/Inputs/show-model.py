"""Prints a model.fbs: one line for each hyperparameter, file and tensor.

    show-model.py MODEL.fbs FLATC-OUTPUT-FOLDER ROOT
"""

import json
import os
import subprocess
import sys


def main():
    path, folder, root = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["flatc", "--json", "--strict-json", "--raw-binary",
                    "--defaults-json", "-I", root, "-o", folder,
                    os.path.join(root, "frontends/model/Model.fbs"), "--",
                    path], check=True)
    name = os.path.splitext(os.path.basename(path))[0] + ".json"
    model = json.load(open(os.path.join(folder, name)))
    for key in ("name", "provenance", "end_ids"):
        print(f"{key}: {model.get(key)}")
    for key, value in model["architecture"].items():
        print(f"{key}: {value}")
    print(f"tokens: {len(model.get('tokenizer', {}).get('tokens', []))}")
    for file in model["files"]:
        print(f"file {file['path']}: {file['bytes']} bytes")
    for tensor in model["tensors"]:
        print(f"tensor {tensor['name']}: {tensor['storage']} {tensor['shape']} "
              f"file {tensor['file']} at {tensor['offset']}, "
              f"{tensor['bytes']} bytes")


main()
