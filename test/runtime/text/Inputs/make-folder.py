"""Writes the folder of a model without weights: make-folder.py TOKENIZER.json FOLDER"""

import json
import pathlib
import shutil
import sys


def main():
    source, folder = map(pathlib.Path, sys.argv[1:])
    tokenizer = json.loads(source.read_text(encoding="utf-8"))
    ids = list(tokenizer["model"]["vocab"].values())
    ids += [token["id"] for token in tokenizer["added_tokens"]]
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / "tokenizer.json")
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 1, "vocab_size": max(ids) + 1,
        "max_position_embeddings": 16, "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True, "torch_dtype": "float32"}))


main()
