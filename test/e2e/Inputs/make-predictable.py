#!/usr/bin/env python3
"""Makes a checkpoint whose drafts are partly right: make-predictable.py CHECKPOINT RESULT

CHECKPOINT is a folder with two layers and a module for multi-token prediction. In RESULT
embeddings outweigh what the layers add, so that mostly the last token decides which one
is next, and the module reads the embedding alone: it is wrong where the context decides.
There are 1024 positions, and no text ends by itself. Needs only the standard library.
"""

import array
import json
import pathlib
import struct
import sys

POSITIONS = 1024
MODULE = "model.layers.2."
# The root of the mean square of embeddings is at least this; layers add about 1.
SIZE = 2.0


def decode(dtype, data):
    if dtype == "BF16":
        # The upper halves of f32.
        data = b"".join(b"\0\0" + data[i:i + 2] for i in range(0, len(data), 2))
    return array.array("f", data).tolist()


def encode(dtype, values):
    data = array.array("f", values).tobytes()
    if dtype == "BF16":
        data = b"".join(data[i + 2:i + 4] for i in range(0, len(data), 4))
    return data


class Checkpoint:
    """The safetensors files of a folder: {path: bytes}, and where tensors lie."""

    def __init__(self, folder):
        self.files = {path: bytearray(path.read_bytes())
                      for path in folder.glob("*.safetensors")}
        self.places = {}
        for path, data in self.files.items():
            begin = 8 + struct.unpack_from("<Q", data)[0]
            for name, entry in json.loads(data[8:begin]).items():
                if name != "__metadata__":
                    first, last = entry["data_offsets"]
                    self.places[name] = (path, entry["dtype"],
                                         slice(begin + first, begin + last))

    def __getitem__(self, name):
        path, dtype, place = self.places[name]
        return decode(dtype, bytes(self.files[path][place]))

    def __setitem__(self, name, values):
        path, dtype, place = self.places[name]
        data = encode(dtype, values)
        assert len(data) == place.stop - place.start
        self.files[path][place] = data


def enlarged(values):
    factor = 1.0  # Powers of two round nothing.
    while factor ** 2 * sum(value ** 2 for value in values) < SIZE ** 2 * len(values):
        factor *= 2
    return [factor * value for value in values]


def turned(head, hidden, end):
    """Logits of the next id each, and 0 for `end`.

    The head resembles the embedding, and texts would soon repeat one token.
    """
    head = head[hidden:] + head[:hidden]
    head[end * hidden:(end + 1) * hidden] = [0.0] * hidden
    return head


def edit(weights, config):
    hidden, end = config["hidden_size"], config["eos_token_id"]
    embedding = enlarged(weights["model.embed_tokens.weight"])
    head = turned(weights["lm_head.weight"], hidden, end)
    for name in "model.embed_tokens.weight", f"{MODULE}embed_tokens.weight":
        weights[name] = embedding
    for name in "lm_head.weight", f"{MODULE}shared_head.head.weight":
        weights[name] = head
    weights[f"{MODULE}shared_head.norm.weight"] = weights["model.norm.weight"]
    weights[f"{MODULE}enorm.weight"] = [SIZE] * hidden
    # The embedding is the first half of what is projected, the state the second.
    weights[f"{MODULE}eh_proj.weight"] = [float(row == column) for row in range(hidden)
                                          for column in range(2 * hidden)]


source, result = map(pathlib.Path, sys.argv[1:])
config = json.loads((source / "config.json").read_text())
weights = Checkpoint(source)
edit(weights, config)
config["max_position_embeddings"] = POSITIONS
rotation = config["rope_scaling"]
rotation["original_max_position_embeddings"] = POSITIONS // rotation["factor"]
result.mkdir(parents=True, exist_ok=True)
(result / "config.json").write_text(json.dumps(config))
for path in [source / "tokenizer.json", *source.glob("*.index.json")]:
    (result / path.name).write_bytes(path.read_bytes())
for path, data in weights.files.items():
    (result / path.name).write_bytes(data)
