#!/usr/bin/env python3
"""Compares the logits of every tiny Llama with those of other programs.

usage: check-llamas.py BIN FIXTURES SCRATCH {interpreter | h100-sim | MARCH}

BIN is the folder of tcc and tcc-run, FIXTURES the one of test/fixtures/llama.
Prints a line for each comparison; ends with 1 if one is beyond its tolerance.

Compiled models are held against an oracle in float64: 1e-5 where weights are f32,
1e-2 where activations are bf16. The interpreter too, to 1e-10, and against
transformers, which keeps norms, softmax and rotation in float32: 2e-6 in all, 1e-5
in the worst row.
"""

import json
import pathlib
import subprocess
import sys

COMPARE = pathlib.Path(__file__).resolve().parent.parent / "compare-logits.py"


def run(*command):
    """Returns stdout of a command that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def compare(fixture, name, got, whole, row):
    figures = run(sys.executable, COMPARE, fixture / f"logits-{name}.npy", got,
                  "--all", whole, "--row", row)
    print(f"{fixture.name} {name}: {figures}", flush=True)


def has_f32_weights(fixture):
    """Whether all weights are f32, as the header of safetensors says."""
    files = list(fixture.glob("*.safetensors"))
    headers = [json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
               for data in (file.read_bytes() for file in files)]
    return bool(files) and all(entry["dtype"] == "F32" for header in headers
                               for key, entry in header.items() if key != "__metadata__")


def main():
    tools, fixtures, scratch = map(pathlib.Path, sys.argv[1:4])
    scratch.mkdir(parents=True, exist_ok=True)
    for tokens in sorted(fixtures.glob("*/tokens.json")):
        fixture = tokens.parent
        source = fixture / "model.gguf"
        source = source if source.exists() else fixture
        ids = ",".join(map(str, json.loads(tokens.read_text())))
        logits = scratch / f"{fixture.name}.npy"
        if sys.argv[4] == "interpreter":
            run(tools / "tcc", source, "--interpret", "--tokens", ids, "--logits", logits)
            compare(fixture, "f64", logits, 1e-10, 1e-10)
            if (fixture / "logits-transformers.npy").exists():
                compare(fixture, "transformers", logits, 2e-6, 1e-5)
            continue
        model = scratch / f"{fixture.name}.bin"
        simulated = sys.argv[4] == "h100-sim"
        target = "--target=h100" if simulated else f"--march={sys.argv[4]}"
        device = "--device=h100-sim" if simulated else "--device=cpu"
        run(tools / "tcc", source, target, "-o", model)
        run(tools / "tcc-run", model, device, "--tokens", ids, "--max-tokens", 0,
            "--logits", logits)
        tolerance = 1e-5 if has_f32_weights(fixture) else 1e-2
        compare(fixture, "f64", logits, tolerance, tolerance)


main()
