#!/usr/bin/env python3
"""Writes a DeepSeek checkpoint with generated weights, for measurements of speed.

v2-lite is DeepSeek-V2-Lite's shape, cut to 8 layers, in bf16. v3 is DeepSeek-V3's,
cut to 4 layers of which one is dense, 32 experts and a hidden size of 2048, in FP8 with
scales for blocks of 128 by 128. The text that such a model writes means nothing.

usage: make-deepseek.py {v2-lite,v3} OUT
"""
import argparse
import random

from generate import write_hugging_face

HEADS = {"qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
         "kv_lora_rank": 512}
COMMON = {**HEADS, "hidden_size": 2048, "first_k_dense_replace": 1, "moe_layer_freq": 1,
          "rms_norm_eps": 1e-6, "rope_theta": 10000, "hidden_act": "silu",
          "tie_word_embeddings": False, "attention_bias": False,
          "max_position_embeddings": 163840}
YARN = {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096,
        "beta_fast": 32, "beta_slow": 1}
MODELS = {
    "v2-lite": {
        **COMMON, "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
        "num_hidden_layers": 8, "num_attention_heads": 16, "num_key_value_heads": 16,
        "q_lora_rank": None, "intermediate_size": 10944, "moe_intermediate_size": 1408,
        "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6,
        "n_group": 1, "topk_group": 1, "topk_method": "greedy", "scoring_func": "softmax",
        "norm_topk_prob": False, "routed_scaling_factor": 1.0, "vocab_size": 102400,
        "eos_token_id": 100001, "torch_dtype": "bfloat16",
        "rope_scaling": {**YARN, "mscale": 0.707, "mscale_all_dim": 0.707}},
    "v3": {
        **COMMON, "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
        "num_hidden_layers": 4, "num_attention_heads": 128, "num_key_value_heads": 128,
        "q_lora_rank": 1536, "intermediate_size": 18432, "moe_intermediate_size": 2048,
        "n_routed_experts": 32, "n_shared_experts": 1, "num_experts_per_tok": 8,
        "n_group": 8, "topk_group": 4, "topk_method": "noaux_tc",
        "scoring_func": "sigmoid", "norm_topk_prob": True, "routed_scaling_factor": 2.5,
        "vocab_size": 129280, "eos_token_id": 1, "torch_dtype": "bfloat16",
        "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
        "quantization_config": {"quant_method": "fp8", "fmt": "e4m3",
                                "activation_scheme": "dynamic",
                                "weight_block_size": [128, 128]}},
}


def mlp(prefix, hidden, inner):
    yield prefix + "gate_proj", [inner, hidden]
    yield prefix + "up_proj", [inner, hidden]
    yield prefix + "down_proj", [hidden, inner]


def attention(config):
    """Yields the projections of attention (name, shape)."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    latent, rotary = config["kv_lora_rank"], config["qk_rope_head_dim"]
    key, value = config["qk_nope_head_dim"], config["v_head_dim"]
    query = heads * (key + rotary)
    if config["q_lora_rank"]:
        yield "q_a_proj", [config["q_lora_rank"], hidden]
        yield "q_b_proj", [query, config["q_lora_rank"]]
    else:
        yield "q_proj", [query, hidden]
    yield "kv_a_proj_with_mqa", [latent + rotary, hidden]
    yield "kv_b_proj", [heads * (key + value), latent]
    yield "o_proj", [hidden, heads * value]


def layer(config, number):
    """Yields the matrices of a layer that may be FP8 (name, shape)."""
    hidden = config["hidden_size"]
    for name, shape in attention(config):
        yield "self_attn." + name, shape
    if number < config["first_k_dense_replace"]:
        yield from mlp("mlp.", hidden, config["intermediate_size"])
        return
    inner = config["moe_intermediate_size"]
    for expert in range(config["n_routed_experts"]):
        yield from mlp(f"mlp.experts.{expert}.", hidden, inner)
    yield from mlp("mlp.shared_experts.", hidden, inner * config["n_shared_experts"])


def tensors(config):
    """Yields (name, shape, type) of every tensor."""
    hidden = config["hidden_size"]
    is_fp8 = "quantization_config" in config
    yield "model.embed_tokens.weight", [config["vocab_size"], hidden], "BF16"
    for i in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{i}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            yield f"{prefix}{norm}.weight", [hidden], "BF16"
        yield prefix + "self_attn.kv_a_layernorm.weight", [config["kv_lora_rank"]], "BF16"
        if config["q_lora_rank"]:
            yield prefix + "self_attn.q_a_layernorm.weight", [config["q_lora_rank"]], "BF16"
        if i >= config["first_k_dense_replace"]:
            yield prefix + "mlp.gate.weight", [config["n_routed_experts"], hidden], "BF16"
            if config["topk_method"] == "noaux_tc":
                yield (prefix + "mlp.gate.e_score_correction_bias",
                       [config["n_routed_experts"]], "F32")
        for name, (rows, columns) in layer(config, i):
            yield f"{prefix}{name}.weight", [rows, columns], "F8_E4M3" if is_fp8 else "BF16"
            if is_fp8:
                yield (f"{prefix}{name}.weight_scale_inv",
                       [-(-rows // 128), -(-columns // 128)], "F32")
    yield "model.norm.weight", [hidden], "BF16"
    yield "lm_head.weight", [config["vocab_size"], hidden], "BF16"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("out")
    options = parser.parse_args()
    config = MODELS[options.model]
    write_hugging_face(options.out, config, list(tensors(config)), random.Random(1))


if __name__ == "__main__":
    main()
