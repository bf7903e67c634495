#!/usr/bin/env python3
"""Compares the kernels of random tiny Llamas with the f64 interpreter.

Usage: check-kernels.py BIN SCRATCH FIRST COUNT MARCH...

For each seed a checkpoint of odd sizes is compiled for each MARCH and run on
prompts of one token, of a prime number, and of more rows than a block and more
pages than three, which are then continued one token at a time. All logits are
compared with those of the interpreter: 1e-5 where weights and activations are f32,
else 1e-2, as relative
L2 of all and of the worst row. Prints a line for each comparison.
"""

import hashlib
import pathlib
import random
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import random_llama  # noqa: E402

COMPARE = (pathlib.Path(__file__).resolve().parents[5] /
           "test/e2e/compare-logits.py")
# Prompts, and tokens to generate after each.
LENGTHS = [(1, 3), (31, 5), (211, 2)]


def run(*command):
    """Returns stdout of a command that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def describe(storage, config):
    keys = {"hidden_size": "N", "intermediate_size": "I", "num_attention_heads": "H",
            "num_key_value_heads": "G", "head_dim": "D", "vocab_size": "V"}
    text = " ".join(f"{letter}={config[key]}" for key, letter in keys.items())
    flags = "".join(f" {key}" for key in ("attention_bias", "mlp_bias",
                                          "tie_word_embeddings") if config[key])
    return f"{storage} {text}{flags}"


def interpret(tools, scratch, source, ids):
    """The file of the logits of `ids`, by the interpreter; computed once."""
    text = ",".join(map(str, ids))
    path = scratch / f"{hashlib.md5(text.encode()).hexdigest()}.npy"
    if not path.exists():
        run(tools / "tcc", source, "--interpret", "--tokens", text, "--logits", path)
    return path


def check(tools, scratch, model, source, storage, ids, generated, name):
    """Runs `model` on `ids` and compares all logits with the interpreter's."""
    got = scratch / "got.npy"
    out = run(tools / "tcc-run", model, "--tokens", ",".join(map(str, ids)),
              "--max-tokens", generated, "--logits", got)
    # There is a row for every token but the last that was generated.
    read = ids + [int(token) for token in out.split()][:-1]
    expected = interpret(tools, scratch, source, read)
    tolerance = 1e-5 if storage == "F32" else 1e-2
    figures = run(sys.executable, COMPARE, expected, got, "--all", tolerance,
                  "--row", tolerance)
    print(f"{name}, {len(ids)} + {len(read) - len(ids)} tokens: {figures}", flush=True)


def main():
    tools, scratch = map(pathlib.Path, sys.argv[1:3])
    first, count = map(int, sys.argv[3:5])
    for seed in range(first, first + count):
        folder = scratch / str(seed)
        shutil.rmtree(folder, ignore_errors=True)
        storage, config, source = random_llama.write(seed, folder)
        generator = random.Random(seed)
        prompts = [[generator.randrange(config["vocab_size"]) for _ in range(length)]
                   for length, _ in LENGTHS]
        for march in sys.argv[5:]:
            model = folder / f"{march}.bin"
            run(tools / "tcc", source, f"--march={march}", "-o", model)
            for ids, (_, generated) in zip(prompts, LENGTHS):
                check(tools, folder, model, source, storage, ids, generated,
                      f"{seed} {march}: {describe(storage, config)}")


if __name__ == "__main__":
    main()
