#!/usr/bin/env python3
"""Runs tiny Llamas whose activations are not finite: not-finite.py BIN SCRATCH MARCH

Weights in blocks are multiplied by integers, which have no NaN and no infinity. Still
the logits must not be finite, so that tcc-run refuses them.
"""

import math
import pathlib
import random
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import random_llama  # noqa: E402

tools, scratch = map(pathlib.Path, sys.argv[1:3])
encode = random_llama.encode

for storage in "Q8_0", "Q4_0", "Q4_1":
    for value in math.nan, math.inf, -math.inf:
        def encode_norm(storage, generator, name, shape):
            data = encode(storage, generator, name, shape)
            if name != "model.layers.0.input_layernorm.weight":
                return data
            return struct.pack("<f", value) + data[4:]
        random_llama.encode = encode_norm
        _, source = random_llama.write_gguf(random.Random(1), scratch, storage)
        model = scratch / "model.bin"
        subprocess.run([tools / "tcc", source, f"--march={sys.argv[3]}", "-o", model],
                       check=True)
        done = subprocess.run([tools / "tcc-run", model, "--tokens", "1,2,3"],
                              capture_output=True, text=True)
        if done.returncode != 65 or "expected a finite number" not in done.stderr:
            sys.exit(f"{storage}, {value}: expected 65 and why, got {done.returncode}: "
                     f"{done.stdout}{done.stderr}")
