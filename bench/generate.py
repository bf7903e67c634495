"""What the generators of checkpoints share: random elements, and folders as Hugging
Face has them. Values are random and small enough that nothing overflows."""
import json
import os
import struct

# The sign at random and an exponent that makes a bf16 about 0.01.
HIGH_BYTES = bytes((byte & 0x80) | 0x3C for byte in range(256))
# Numbers of e4m3 but NaN.
E4M3_BYTES = bytes(byte & 0xBF for byte in range(256))
CHUNK = 1 << 22
BYTES = {"BF16": 2, "F8_E4M3": 1, "F32": 4}


def elements(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def random_bf16(generator, count):
    """`count` bf16 of random sign and mantissa."""
    data = bytearray(2 * count)
    data[0::2] = generator.randbytes(count)
    data[1::2] = generator.randbytes(count).translate(HIGH_BYTES)
    return data


def random_elements(generator, dtype, count):
    """`count` elements of `dtype`; those of F32 are scales of 1/4096."""
    if dtype == "BF16":
        return random_bf16(generator, count)
    if dtype == "F8_E4M3":
        return generator.randbytes(count).translate(E4M3_BYTES)
    return struct.pack("<f", 1 / 4096) * count


def write_random(file, count, make):
    """Writes `count` units from `make(n)`, a chunk at a time."""
    while count > 0:
        part = min(count, CHUNK)
        file.write(make(part))
        count -= part


def alphabet():
    """GPT-2's printable character for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {byte: chr(byte) for byte in printable}
    table.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return [table[byte] for byte in range(256)]


def vocabulary(size):
    return alphabet() + [f"<token {i}>" for i in range(256, size)]


def write_hugging_face(folder, config, tensors, generator):
    """Writes config.json, tokenizer.json and model.safetensors. `tensors` are
    (name, shape, type) each; vectors of BF16 are ones."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)
    tokenizer = {"version": "1.0", "added_tokens": [], "normalizer": None,
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False,
                                   "trim_offsets": True, "use_regex": True},
                 "post_processor": None, "decoder": {"type": "ByteLevel"},
                 "model": {"type": "BPE", "merges": [],
                           "vocab": {token: i for i, token in
                                     enumerate(vocabulary(config["vocab_size"]))}}}
    with open(os.path.join(folder, "tokenizer.json"), "w") as file:
        json.dump(tokenizer, file)
    header, offset = {}, 0
    for name, shape, dtype in tensors:
        end = offset + BYTES[dtype] * elements(shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, dtype in tensors:
            if len(shape) == 1 and dtype == "BF16":
                file.write(struct.pack("<H", 0x3F80) * shape[0])
            else:
                write_random(file, elements(shape),
                             lambda n: random_elements(generator, dtype, n))
