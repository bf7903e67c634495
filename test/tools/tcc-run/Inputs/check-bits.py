"""Checks that logits do not depend on how they were computed, to the bit.

    check-bits.py [--close all|most TOLERANCE] TCC-RUN MODEL FOLDER BATCH[,BATCH...] CASE...

A case is PROMPT,GENERATED: prompt tokens and tokens to generate. Compared with
the logits of a prefill and its decode steps on one thread are: one long prefill
of all those tokens; both on 2 and 3 threads; the same without --logits. Then
ragged batches, of BATCH prompts of the cases' lengths, with each of them alone.

A prefill whose attention has another form than a step's differs in its roundings:
--close compares these two by the relative L2 distance of all rows, or of most where
roundings may change the choice of experts.
"""

import importlib.util
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys

arguments = sys.argv[1:]
share, tolerance = None, 0.0
if arguments[0] == "--close":
    share, tolerance = arguments[1], float(arguments[2])
    arguments = arguments[3:]
program, model, folder, *cases = arguments
batches, *cases = [list(map(int, text.split(","))) for text in cases]
os.makedirs(folder, exist_ok=True)


def run(*arguments):
    result = subprocess.run([program, model] + [str(a) for a in arguments],
                            capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{arguments}: {result.returncode}: {result.stderr}")
    return result.stdout


def ids(tokens):
    return ",".join(map(str, tokens))


def generate(tokens, count, name, *arguments):
    """The generated tokens; their logits go to `name` in the folder."""
    path = os.path.join(folder, name)
    output = run("--tokens", ids(tokens), "--max-tokens", count, "--logits", path,
                 *arguments)
    return [int(token) for token in output.split()]


def same(first, second, what):
    contents = []
    for name in first, second:
        with open(os.path.join(folder, name), "rb") as file:
            contents.append(file.read())
    if contents[0] != contents[1]:
        sys.exit(f"{model}: {what}: expected equal bits, got "
                 f"{first} and {second} that differ in {folder}")


def row_distances(first, second):
    """Returns the relative L2 distance of each row of `second` from `first`."""
    path = pathlib.Path(__file__).parents[3] / "e2e" / "compare-logits.py"
    spec = importlib.util.spec_from_file_location("compare_logits", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (rows, columns), expected = module.read_npy(os.path.join(folder, first))
    shape, got = module.read_npy(os.path.join(folder, second))
    assert shape == (rows, columns), (shape, rows, columns)
    distances = []
    for begin in range(0, rows * columns, columns):
        row = slice(begin, begin + columns)
        difference, size = module.distance(expected[row], got[row], second)
        distances.append(module.relative(difference, size))
    return distances


def close(first, second, what):
    """Like same, but by distance if two forms are compared."""
    if share is None:
        return same(first, second, what)
    distances = row_distances(first, second)
    worst = max(distances) if share == "all" else statistics.median(distances)
    if not worst <= tolerance:
        sys.exit(f"{model}: {what}: expected {share} rows within {tolerance}, got "
                 f"{worst:.3g} between {first} and {second} in {folder}")


vocabulary = json.loads(run("--info", "--json"))["vocabulary"]
random.seed(1)


def prompt(size):
    return [random.randrange(vocabulary) for _ in range(size)]


for size, count in cases:
    tokens, what = prompt(size), f"{size} tokens and {count}"
    generated = generate(tokens, count, "steps.npy", "--threads", 1)
    fed = tokens + generated[:-1]
    with open(os.path.join(folder, "steps.npy"), "rb") as file:
        assert f"'shape': ({len(fed)}, {vocabulary}, )" in file.read(128).decode("latin-1")
    assert generate(fed, 0, "prefill.npy", "--threads", 1) == []
    close("steps.npy", "prefill.npy", f"{what}: steps and prefill")
    for threads in 2, 3:
        assert generate(tokens, count, "threads.npy", "--threads", threads) == generated
        same("steps.npy", "threads.npy", f"{what}: 1 and {threads} threads")
        generate(fed, 0, "threads.npy", "--threads", threads)
        same("prefill.npy", "threads.npy", f"{what}: prefill by {threads} threads")
    without = run("--tokens", ids(tokens), "--max-tokens", count).split()
    assert without == [str(token) for token in generated], what

sizes = [size for size, _ in cases]
for batch in batches:
    prompts = [prompt(random.choice(sizes)) for _ in range(batch)]
    arguments = []
    for i, tokens in enumerate(prompts):
        arguments += ["--tokens", ids(tokens), "--logits",
                      os.path.join(folder, f"together{i}.npy")]
    lines = run("--max-tokens", 6, *arguments).splitlines()
    for i, tokens in enumerate(prompts):
        alone = generate(tokens, 6, "alone.npy")
        same("alone.npy", f"together{i}.npy", f"{i} of {batch} prompts")
        assert lines[i] == " ".join(map(str, alone)), (lines[i], alone)
print("equal to the bit")
