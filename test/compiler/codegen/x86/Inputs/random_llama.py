"""Random tiny Llamas of odd sizes, as files. Needs only the standard library."""

import array
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[5] /
                       "test/frontends/Inputs"))
import checkpoints  # noqa: E402

HF_STORAGE = ["F32", "BF16", "F16"]
GGUF_STORAGE = ["F32", "F16", "Q8_0", "Q4_0", "Q4_1"]
BLOCK = 32


def floats(generator, count, mean, deviation):
    return [mean + deviation * generator.uniform(-3 ** .5, 3 ** .5)
            for _ in range(count)]


def encode(storage, generator, name, shape):
    """Random bytes of a tensor that keep activations at their size.

    Rows of the embedding are larger than what layers add to them: where a sum
    happened to be small, the norm would magnify roundings instead of testing them.
    """
    count = checkpoints.count(shape)
    is_vector = len(shape) == 1
    fan_in = 0.25 if "embed_tokens" in name else shape[-1]
    if storage.startswith("Q"):
        return b"".join(block(storage, generator, fan_in)
                        for _ in range(count // BLOCK))
    mean = 1.0 if is_vector and "norm" in name else 0.0
    deviation = 0.25 if is_vector else fan_in ** -.5
    values = floats(generator, count, mean, deviation)
    if storage == "F16":
        return struct.pack(f"<{count}e", *values)
    words = array.array("f", values).tobytes()
    if storage == "F32":
        return words
    # bf16: the upper halves.
    return b"".join(words[i + 2:i + 4] for i in range(0, len(words), 4))


def block(storage, generator, fan_in):
    """One block of 32 weights of variance about 1 / fan_in."""
    levels = {"Q8_0": 73.0, "Q4_0": 4.6, "Q4_1": 4.6}[storage]
    scale = fan_in ** -.5 / levels * generator.uniform(0.5, 1.5)
    header = struct.pack("<e", scale)
    if storage == "Q4_1":
        header += struct.pack("<e", -7.5 * scale)
    return header + generator.randbytes(32 if storage == "Q8_0" else 16)


def random_config(generator, storage):
    """The hyperparameters of a Llama; sizes are odd where `storage` allows it."""
    pick = generator.choice
    in_blocks = storage.startswith("Q")
    groups, times = pick([1, 2, 3]), pick([1, 1, 2, 3, 5, 8])
    head = pick([2, 6, 10, 14, 18, 24, 34, 40, 64, 66])
    config = dict(checkpoints.CONFIG)
    if in_blocks:
        # Inputs of linear layers are whole blocks.
        head = pick([32, 64, 96]) if times * groups % 2 else pick([16, 48, 80])
        while head * times * groups % BLOCK:
            head += 16
    config.update(
        hidden_size=pick([32, 64, 160, 544]) if in_blocks else pick([1, 7, 50, 61, 129, 523]),
        intermediate_size=pick([32, 96, 224, 544]) if in_blocks else pick([1, 13, 96, 131, 523]),
        num_hidden_layers=pick([1, 2]), num_attention_heads=groups * times,
        num_key_value_heads=groups, head_dim=head,
        vocab_size=pick([31, 64, 127, 263]), max_position_embeddings=512,
        rms_norm_eps=pick([1e-5, 1e-2]), tie_word_embeddings=pick([True, False]),
        attention_bias=pick([False, True]), mlp_bias=pick([False, True]))
    return config


def write_folder(generator, folder, storage):
    config = random_config(generator, storage)
    files = checkpoints.hugging_face(config, storage)
    data, header, end = b"", {}, 0
    for name, shape in checkpoints.shapes(config).items():
        part = encode(storage, generator, name, shape)
        header[name] = {"dtype": storage, "shape": shape,
                        "data_offsets": [end, end + len(part)]}
        end += len(part)
        data += part
    files["model.safetensors"] = checkpoints.pack_header(header) + data
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return config, folder


def write_gguf(generator, folder, storage):
    config = random_config(generator, storage)
    # The pairs that are rotated are neighbours in these files.
    config.update(attention_bias=False, mlp_bias=False)
    gguf = checkpoints.Gguf(config, storage)
    for key in ("attention.key_length", "attention.value_length", "rope.dimension_count"):
        gguf.metadata[f"llama.{key}"] = ("u32", config["head_dim"])
    for name, shape in checkpoints.shapes(config).items():
        gguf.contents[checkpoints.gguf_name(name)] = encode(
            storage if len(shape) == 2 else "F32", generator, name, shape)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.gguf"
    path.write_bytes(bytes(gguf))
    return config, path


def write(seed, folder):
    """Writes the checkpoint of `seed`; returns (storage, config, path)."""
    generator = random.Random(seed)
    forms = ([(write_folder, storage) for storage in HF_STORAGE] +
             [(write_gguf, storage) for storage in GGUF_STORAGE])
    form, storage = forms[seed % len(forms)]
    return storage, *form(generator, pathlib.Path(folder), storage)
