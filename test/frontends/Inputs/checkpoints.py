"""Tiny checkpoints as dictionaries of files, to be made wrong by tests."""

import json
import random
import struct

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 32,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-05,
    "tie_word_embeddings": False,
    "eos_token_id": 2,
    "torch_dtype": "float32",
}

DEEPSEEK = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": 136,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "vocab_size": 32,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-06,
    "q_lora_rank": 24,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 6,
    "first_k_dense_replace": 1,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 10,
    "n_group": 4,
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "rope_scaling": {"type": "yarn", "factor": 40, "mscale": 1.0,
                     "mscale_all_dim": 1.0, "beta_fast": 32, "beta_slow": 1,
                     "original_max_position_embeddings": 4096},
    "tie_word_embeddings": False,
    "eos_token_id": 1,
    "torch_dtype": "bfloat16",
}

TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False,
                      "trim_offsets": True, "use_regex": True},
    "post_processor": None,
    "decoder": {"type": "ByteLevel", "add_prefix_space": True,
                "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "dropout": None, "unk_token": None,
              "continuing_subword_prefix": None, "end_of_word_suffix": None,
              "fuse_unk": False, "byte_fallback": False,
              "ignore_merges": False,
              "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
}

# Bytes of an element, or of a block of 32 elements.
ELEMENT_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "F8_E4M3": 1}
GGML_TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18),
              "Q4_1": (3, 32, 20), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144),
              "BF16": (30, 1, 2)}
METADATA_TYPES = {"u8": (0, "<B"), "i8": (1, "<b"), "u16": (2, "<H"),
                  "i16": (3, "<h"), "u32": (4, "<I"), "i32": (5, "<i"),
                  "f32": (6, "<f"), "bool": (7, "<B"), "u64": (10, "<Q"),
                  "i64": (11, "<q"), "f64": (12, "<d")}


def mlp_shapes(prefix, hidden, size):
    return {f"{prefix}gate_proj.weight": [size, hidden],
            f"{prefix}up_proj.weight": [size, hidden],
            f"{prefix}down_proj.weight": [hidden, size]}


def deepseek_layer_shapes(config, i):
    """The tensors of layer `i` of a DeepSeek, without their prefix."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    rank, latent = config.get("q_lora_rank"), config["kv_lora_rank"]
    plain, rotary = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
    value, bias = config["v_head_dim"], config.get("attention_bias")
    result = {"input_layernorm.weight": [hidden],
              "post_attention_layernorm.weight": [hidden],
              "self_attn.kv_a_proj_with_mqa.weight": [latent + rotary, hidden],
              "self_attn.kv_a_layernorm.weight": [latent],
              "self_attn.kv_b_proj.weight": [heads * (plain + value), latent],
              "self_attn.o_proj.weight": [hidden, heads * value]}
    if rank:
        result["self_attn.q_a_proj.weight"] = [rank, hidden]
        result["self_attn.q_a_layernorm.weight"] = [rank]
        result["self_attn.q_b_proj.weight"] = [heads * (plain + rotary), rank]
    else:
        result["self_attn.q_proj.weight"] = [heads * (plain + rotary), hidden]
    for name in ("q_a_proj", "kv_a_proj_with_mqa", "o_proj"):
        if bias and f"self_attn.{name}.weight" in result:
            result[f"self_attn.{name}.bias"] = (
                result[f"self_attn.{name}.weight"][:1])
    if i < config["first_k_dense_replace"] or i % config.get("moe_layer_freq", 1):
        return {**result,
                **mlp_shapes("mlp.", hidden, config["intermediate_size"])}
    experts, size = config["n_routed_experts"], config["moe_intermediate_size"]
    result["mlp.gate.weight"] = [experts, hidden]
    if config.get("topk_method") == "noaux_tc":
        result["mlp.gate.e_score_correction_bias"] = [experts]
    for e in range(experts):
        result.update(mlp_shapes(f"mlp.experts.{e}.", hidden, size))
    if config["n_shared_experts"]:
        result.update(mlp_shapes("mlp.shared_experts.", hidden,
                                 config["n_shared_experts"] * size))
    return result


def deepseek_shapes(config):
    """Names and shapes of the tensors of a DeepSeek, in the file's order."""
    hidden = config["hidden_size"]
    result = {"model.embed_tokens.weight": [config["vocab_size"], hidden]}
    for i in range(config["num_hidden_layers"]):
        for name, shape in deepseek_layer_shapes(config, i).items():
            result[f"model.layers.{i}.{name}"] = shape
    result["model.norm.weight"] = [hidden]
    if not config.get("tie_word_embeddings"):
        result["lm_head.weight"] = [config["vocab_size"], hidden]
    if config.get("num_nextn_predict_layers"):
        prefix = f"model.layers.{config['num_hidden_layers']}."
        parts = deepseek_layer_shapes(config, config["num_hidden_layers"])
        for name, shape in parts.items():
            result[prefix + name] = shape
        for name in ("enorm", "hnorm", "shared_head.norm"):
            result[f"{prefix}{name}.weight"] = [hidden]
        result[prefix + "eh_proj.weight"] = [hidden, 2 * hidden]
    return result


def shapes(config):
    """Names and shapes of the tensors of a model, in the file's order."""
    if config.get("model_type") != "llama":
        return deepseek_shapes(config)
    hidden, mlp = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    query = heads * head
    key = config.get("num_key_value_heads", heads) * head
    result = {"model.embed_tokens.weight": [config["vocab_size"], hidden]}
    for i in range(config["num_hidden_layers"]):
        linear = {"self_attn.q_proj": [query, hidden],
                  "self_attn.k_proj": [key, hidden],
                  "self_attn.v_proj": [key, hidden],
                  "self_attn.o_proj": [hidden, query],
                  "mlp.gate_proj": [mlp, hidden],
                  "mlp.up_proj": [mlp, hidden],
                  "mlp.down_proj": [hidden, mlp]}
        layer = f"model.layers.{i}."
        for name, shape in linear.items():
            result[f"{layer}{name}.weight"] = shape
            flag = "mlp_bias" if name.startswith("mlp") else "attention_bias"
            if config.get(flag):
                result[f"{layer}{name}.bias"] = shape[:1]
        result[f"{layer}input_layernorm.weight"] = [hidden]
        result[f"{layer}post_attention_layernorm.weight"] = [hidden]
    result["model.norm.weight"] = [hidden]
    if not config.get("tie_word_embeddings"):
        result["lm_head.weight"] = [config["vocab_size"], hidden]
    return result


def count(shape):
    elements = 1
    for size in shape:
        elements *= size
    return elements


def safetensors(tensors, seed=0):
    """One file with the tensors {name: (dtype, shape)}."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape) in tensors.items():
        begin, end = end, end + count(shape) * ELEMENT_BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [begin, end]}
    data = bytearray(random.Random(seed).randbytes(end))
    for name, entry in header.items():
        # Must be finite.
        if name.endswith(("_scale_inv", "_correction_bias")):
            begin, end = entry["data_offsets"]
            data[begin:end] = bytes(end - begin)
    return pack_header(header) + bytes(data)


def pack_header(header):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def edit_header(data, edit):
    """`data`, a safetensors file, after `edit` of its header."""
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    edit(header)
    return pack_header(header) + data[8 + length:]


def edit_tensors(data, edit):
    """The safetensors file `data` anew, after `edit` of {name: (dtype, shape)}."""
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    tensors = {name: (entry["dtype"], entry["shape"])
               for name, entry in header.items() if name != "__metadata__"}
    edit(tensors)
    return safetensors(tensors)


def set_element(data, name, index, element):
    """`data`, a safetensors file, with other bytes for one element."""
    length, = struct.unpack("<Q", data[:8])
    begin, _ = json.loads(data[8:8 + length])[name]["data_offsets"]
    begin += 8 + length + index * len(element)
    return data[:begin] + element + data[begin + len(element):]


def stored(config, dtype):
    """{name: (dtype, shape)} of the tensors; FP8 is what DeepSeek V3 has."""
    tensors = {}
    for name, shape in shapes(config).items():
        if name.endswith("_correction_bias"):
            tensors[name] = ("F32", shape)
        elif dtype != "FP8":
            tensors[name] = (dtype, shape)
        elif ("_proj" not in name or "eh_proj" in name
              or not name.endswith(".weight")):
            tensors[name] = ("BF16", shape)
        else:
            tensors[name] = ("F8_E4M3", shape)
            tensors[name + "_scale_inv"] = ("F32", [-(-n // 128) for n in shape])
    return tensors


def hugging_face(config, dtype="F32", shards=1, extra={}):
    """The files of a folder; `extra` are tensors that it should not have."""
    tensors = stored(config, dtype)
    tensors.update(extra)
    files = {"config.json": json.dumps(config).encode(),
             "tokenizer.json": json.dumps(TOKENIZER).encode()}
    if shards == 1:
        files["model.safetensors"] = safetensors(tensors)
        return files
    names, weight_map = list(tensors), {}
    for i in range(shards):
        file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        part = names[i::shards]
        files[file] = safetensors({name: tensors[name] for name in part}, i)
        weight_map.update((name, file) for name in part)
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    return files


def gguf_string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_value(type_, value):
    """A value with its type; arrays are written as "[u32]"."""
    if type_ == "str":
        return struct.pack("<I", 8) + gguf_string(value)
    if type_ == "[str]":
        return (struct.pack("<IIQ", 9, 8, len(value)) +
                b"".join(map(gguf_string, value)))
    if type_.startswith("["):
        number, form = METADATA_TYPES[type_[1:-1]]
        return (struct.pack("<IIQ", 9, number, len(value)) +
                b"".join(struct.pack(form, element) for element in value))
    number, form = METADATA_TYPES[type_]
    return struct.pack("<I", number) + struct.pack(form, value)


GGUF_NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm",
    "lm_head": "output", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def gguf_name(name):
    stem, suffix = name.rsplit(".", 1)
    prefix = ""
    if stem.startswith("model.layers."):
        layer, stem = stem[len("model.layers."):].split(".", 1)
        prefix = f"blk.{layer}."
    return f"{prefix}{GGUF_NAMES[stem]}.{suffix}"


class Gguf:
    """A GGUF file in parts."""

    def __init__(self, config=CONFIG, storage="F32"):
        self.magic, self.version = b"GGUF", 3
        self.tensor_count = self.metadata_count = None
        self.metadata = {
            "general.architecture": ("str", "llama"),
            "general.name": ("str", "Tiny"),
            "llama.block_count": ("u32", config["num_hidden_layers"]),
            "llama.context_length":
                ("u32", config["max_position_embeddings"]),
            "llama.embedding_length": ("u32", config["hidden_size"]),
            "llama.feed_forward_length": ("u32", config["intermediate_size"]),
            "llama.attention.head_count":
                ("u32", config["num_attention_heads"]),
            "llama.attention.head_count_kv":
                ("u32", config["num_key_value_heads"]),
            "llama.attention.layer_norm_rms_epsilon":
                ("f32", config["rms_norm_eps"]),
            "llama.vocab_size": ("u32", config["vocab_size"]),
            "tokenizer.ggml.model": ("str", "gpt2"),
            "tokenizer.ggml.pre": ("str", "smollm"),
            "tokenizer.ggml.tokens": ("[str]", ["a", "b", "ab"]),
            "tokenizer.ggml.token_type": ("[i32]", [1, 1, 1]),
            "tokenizer.ggml.merges": ("[str]", ["a b"]),
            "tokenizer.ggml.eos_token_id": ("u32", 2),
        }
        # Name, type, dimensions innermost first.
        self.tensors = []
        for name, shape in shapes(config).items():
            self.add(gguf_name(name), storage if len(shape) == 2 else "F32",
                     *reversed(shape))
        self.alignment = 32
        self.offsets = {}
        self.contents = {}  # Of tensors that are not zero.

    def add(self, name, type_, *dimensions):
        self.tensors.append([name, type_, list(dimensions)])

    def tensor(self, name):
        return next(tensor for tensor in self.tensors if tensor[0] == name)

    def remove(self, name):
        self.tensors.remove(self.tensor(name))

    def __bytes__(self):
        result = self.magic + struct.pack(
            "<IQQ", self.version,
            len(self.tensors) if self.tensor_count is None
            else self.tensor_count,
            len(self.metadata) if self.metadata_count is None
            else self.metadata_count)
        for key, (type_, value) in self.metadata.items():
            result += gguf_string(key) + gguf_value(type_, value)
        data = b""
        for name, type_, dimensions in self.tensors:
            number, elements, size = GGML_TYPES.get(type_, (type_, 1, 4))
            offset = self.offsets.get(name, len(data))
            result += gguf_string(name) + struct.pack("<I", len(dimensions))
            result += b"".join(struct.pack("<Q", d) for d in dimensions)
            result += struct.pack("<IQ", number, offset)
            if count(dimensions) > 1 << 20:
                continue
            data += self.contents.get(
                name, bytes(count(dimensions) // elements * size))
            data += bytes(-len(data) % self.alignment)
        return result + bytes(-len(result) % self.alignment) + data
