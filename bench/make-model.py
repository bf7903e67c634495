#!/usr/bin/env python3
"""Writes a Llama checkpoint with generated weights, for measurements of speed.

The shape is Llama-3.2-1B's unless options cut it. bf16 becomes a Hugging Face
folder, q8_0, q4_0 and q4_1 a GGUF file. Values are random and small enough that
nothing overflows; the text that such a model writes means nothing.

usage: make-model.py {bf16,q8_0,q4_0,q4_1} OUT [--layers N] [--vocabulary N]
"""
import argparse
import random
import struct

from generate import elements, vocabulary, write_hugging_face, write_random

SHAPE = {
    "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
    "vocab_size": 128256, "max_position_embeddings": 131072,
}
ROPE = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
# GGUF's type numbers, and the bytes of a block of 32 elements.
BLOCKS = {"q8_0": (8, 34), "q4_0": (2, 18), "q4_1": (3, 20)}


def tensors(layers):
    """Yields (name in Hugging Face's spelling, name in GGUF's, shape)."""
    hidden, inner = SHAPE["hidden_size"], SHAPE["intermediate_size"]
    query = SHAPE["num_attention_heads"] * SHAPE["head_dim"]
    key = SHAPE["num_key_value_heads"] * SHAPE["head_dim"]
    yield "model.embed_tokens.weight", "token_embd.weight", [SHAPE["vocab_size"], hidden]
    for i in range(layers):
        for name, short, shape in [
                ("input_layernorm", "attn_norm", [hidden]),
                ("self_attn.q_proj", "attn_q", [query, hidden]),
                ("self_attn.k_proj", "attn_k", [key, hidden]),
                ("self_attn.v_proj", "attn_v", [key, hidden]),
                ("self_attn.o_proj", "attn_output", [hidden, query]),
                ("post_attention_layernorm", "ffn_norm", [hidden]),
                ("mlp.gate_proj", "ffn_gate", [inner, hidden]),
                ("mlp.up_proj", "ffn_up", [inner, hidden]),
                ("mlp.down_proj", "ffn_down", [hidden, inner])]:
            yield f"model.layers.{i}.{name}.weight", f"blk.{i}.{short}.weight", shape
    yield "model.norm.weight", "output_norm.weight", [hidden]


def random_blocks(generator, kind, count):
    """`count` blocks with a scale of 0.0005, a minimum of 0 and random elements."""
    size = BLOCKS[kind][1]
    data = bytearray(generator.randbytes(size * count))
    scale = struct.pack("<e", 0.0005)
    data[0::size], data[1::size] = scale[:1] * count, scale[1:] * count
    if kind == "q4_1":
        data[2::size], data[3::size] = bytes(count), bytes(count)
    return data


def write_folder(folder, layers, generator):
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **SHAPE,
              "num_hidden_layers": layers, "rms_norm_eps": 1e-5,
              "rope_theta": 500000.0, "rope_scaling": ROPE, "hidden_act": "silu",
              "tie_word_embeddings": True, "torch_dtype": "bfloat16",
              "eos_token_id": SHAPE["vocab_size"] - 1}
    write_hugging_face(folder, config,
                       [(name, shape, "BF16") for name, _, shape in tensors(layers)],
                       generator)


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def metadata(layers):
    """GGUF key/value pairs as bytes: (count, bytes)."""
    pairs = []

    def add(key, type_number, value):
        pairs.append(string(key) + struct.pack("<I", type_number) + value)

    def array(type_number, values):
        return struct.pack("<IQ", type_number, len(values)) + b"".join(values)

    add("general.architecture", 8, string("llama"))
    for key, value in [("block_count", layers), ("context_length", 131072),
                       ("embedding_length", 2048), ("feed_forward_length", 8192),
                       ("attention.head_count", 32), ("attention.head_count_kv", 8),
                       ("rope.dimension_count", 64), ("vocab_size", SHAPE["vocab_size"])]:
        add(f"llama.{key}", 4, struct.pack("<I", value))
    add("llama.rope.freq_base", 6, struct.pack("<f", 500000.0))
    add("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5))
    add("tokenizer.ggml.model", 8, string("gpt2"))
    add("tokenizer.ggml.pre", 8, string("llama-bpe"))
    add("tokenizer.ggml.tokens", 9, array(8, [string(t) for t in vocabulary(SHAPE["vocab_size"])]))
    add("tokenizer.ggml.token_type", 9,
        array(5, [struct.pack("<i", 1)] * SHAPE["vocab_size"]))
    add("tokenizer.ggml.merges", 9, array(8, []))
    add("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", SHAPE["vocab_size"] - 1))
    return len(pairs), b"".join(pairs)


def write_gguf(path, kind, layers, generator):
    number, block = BLOCKS[kind]
    infos, offset, all_tensors = [], 0, list(tensors(layers))
    for _, name, shape in all_tensors:
        is_vector = len(shape) == 1
        size = 4 * shape[0] if is_vector else elements(shape) // 32 * block
        infos.append(string(name) + struct.pack("<I", len(shape))
                     + b"".join(struct.pack("<Q", s) for s in reversed(shape))
                     + struct.pack("<IQ", 0 if is_vector else number, offset))
        offset += size + -size % 32
    pairs, pair_bytes = metadata(layers)
    head = (b"GGUF" + struct.pack("<IQQ", 3, len(infos), pairs) + pair_bytes
            + b"".join(infos))
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32))
        for _, _, shape in all_tensors:
            if len(shape) == 1:
                file.write(struct.pack("<f", 1.0) * shape[0])
            else:
                write_random(file, elements(shape) // 32,
                             lambda n: random_blocks(generator, kind, n))
            file.write(bytes(-file.tell() % 32 if file.tell() % 32 else 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["bf16", *BLOCKS])
    parser.add_argument("out")
    parser.add_argument("--layers", type=int, default=SHAPE["num_hidden_layers"])
    parser.add_argument("--vocabulary", type=int, default=SHAPE["vocab_size"])
    options = parser.parse_args()
    SHAPE["vocab_size"] = options.vocabulary
    generator = random.Random(1)
    if options.kind == "bf16":
        write_folder(options.out, options.layers, generator)
    else:
        write_gguf(options.out, options.kind, options.layers, generator)


if __name__ == "__main__":
    main()
