#!/usr/bin/env python3
"""Holds the forms of attention in a report against sums made here.

usage: check-break-even.py CONFIG.json REPORT.json
"""

import json
import sys

config, report = (json.load(open(path)) for path in sys.argv[1:])
forms = report["break_even"]
heads, layers = config["num_attention_heads"], config["num_hidden_layers"]
latent, rotary = config["kv_lora_rank"], config["qk_rope_head_dim"]
lengths = config["qk_nope_head_dim"] + config["v_head_dim"]


def expanded(new, cached):
    pairs = sum(cached + i + 1 for i in range(new))
    return 2 * heads * layers * ((cached + new) * lengths * latent
                                 + pairs * (lengths + rotary))


def absorbed(new, cached):
    pairs = sum(cached + i + 1 for i in range(new))
    return 2 * heads * layers * (new * lengths * latent + pairs * (2 * latent + rotary))


def expect(name, got, expected):
    if got != expected:
        sys.exit(f"{name}: expected {expected}, got {got}")


def first(cached):
    """The fewest new tokens after `cached` positions that are cheaper expanded."""
    new = 1
    while expanded(new, cached) >= absorbed(new, cached):
        new += 1
    return new


expect("cached", forms["cached"], 1024)
expect("tokens", forms["tokens"], first(1024))
expect("tokens after any number", forms["tokens_after_any"], first(10**7))
for name, count in (("expanded", expanded), ("absorbed", absorbed)):
    expect(f"operations {name}", forms[name]["flops"], count(forms["tokens"], 1024))
    # Latents are read at least, and few other bytes for so many operations.
    positions = (1024 + forms["tokens"]) * layers * 2 * (latent + rotary)
    bytes_moved = forms[name]["bytes"]
    if name == "expanded" and not positions < bytes_moved:
        sys.exit(f"bytes {name}: expected more than {positions}, got {bytes_moved}")
    if not bytes_moved < forms[name]["flops"] / 100:
        sys.exit(f"bytes {name}: expected few for so many operations, got {bytes_moved}")
