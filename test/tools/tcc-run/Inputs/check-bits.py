"""Checks that logits do not depend on how they were computed, to the bit.

    check-bits.py TCC-RUN MODEL FOLDER BATCH[,BATCH...] CASE...

A case is PROMPT,GENERATED: prompt tokens and tokens to generate. Compared with
the logits of a prefill and its decode steps on one thread are: one long prefill
of all those tokens; both on 2 and 3 threads; the same without --logits. Then
ragged batches, of BATCH prompts of the cases' lengths, with each of them alone.
"""

import json
import os
import random
import subprocess
import sys

program, model, folder = sys.argv[1:4]
batches, *cases = [list(map(int, text.split(","))) for text in sys.argv[4:]]
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
    same("steps.npy", "prefill.npy", f"{what}: steps and prefill")
    for threads in 2, 3:
        assert generate(tokens, count, "threads.npy", "--threads", threads) == generated
        same("steps.npy", "threads.npy", f"{what}: 1 and {threads} threads")
        generate(fed, 0, "threads.npy", "--threads", threads)
        same("steps.npy", "threads.npy", f"{what}: prefill by {threads} threads")
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
