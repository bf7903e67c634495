"""What the tests of programs share."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "frontends/Inputs"))
import checkpoints  # noqa: E402


def make_checkpoint(path, tokens):
    """Writes a model of 205 MB, whose weights are a hole of the file, to `path`.

    Its tokenizer knows so many tokens."""
    os.mkdir(path)
    config = dict(checkpoints.CONFIG, vocab_size=400_000, hidden_size=256,
                  tie_word_embeddings=True, torch_dtype="bfloat16")
    header, end = {}, 0
    for tensor, shape in checkpoints.shapes(config).items():
        begin, end = end, end + 2 * checkpoints.count(shape)
        header[tensor] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    header = checkpoints.pack_header(header)
    with open(os.path.join(path, "model.safetensors"), "wb") as file:
        file.write(header)
        file.truncate(len(header) + end)
    tokenizer = json.loads(json.dumps(checkpoints.TOKENIZER))
    tokenizer["model"]["vocab"].update({f"t{i}": i for i in range(3, tokens)})
    for file_name, content in [("config.json", config), ("tokenizer.json", tokenizer)]:
        with open(os.path.join(path, file_name), "w") as file:
            json.dump(content, file)
    return path


def catches(process, number):
    """Whether `process` is the program already, and has a handler for the signal."""
    with open(f"/proc/{process.pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return lines["Name"].strip().startswith("tcc") and (
        int(lines["SigCgt"], 16) >> (number - 1) & 1)
