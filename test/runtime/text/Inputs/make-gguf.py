"""Writes a GGUF file with a vocabulary.

    make-gguf.py bpe PRE TOKENIZER.json OUT.gguf
    make-gguf.py sentencepiece TOK512.bin OUT.gguf

The first takes tokens and merges from a tokenizer.json and names the
pre-tokenizer; the second reads tokens and scores as llama2.c writes them.
"""

import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "frontends" / "Inputs"))
import checkpoints

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def byte_pairs(pre, path):
    source = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    kinds = {i: (t, NORMAL) for t, i in source["model"]["vocab"].items()}
    kinds.update((t["id"], (t["content"], CONTROL)) for t in source["added_tokens"])
    tokens = [kinds[i] for i in range(len(kinds))]
    return {
        "model": ("str", "gpt2"), "pre": ("str", pre),
        "tokens": ("[str]", [text for text, _ in tokens]),
        "token_type": ("[i32]", [kind for _, kind in tokens]),
        "merges": ("[str]", [" ".join(m) for m in source["model"]["merges"]])}


def sentence_piece(path):
    data, at = pathlib.Path(path).read_bytes(), 4
    tokens, scores, kinds = [], [], []
    while at < len(data):
        score, length = struct.unpack_from("<fi", data, at)
        text = data[at + 8:at + 8 + length].decode("utf-8")
        at += 8 + length
        number = len(tokens)
        # llama2.c writes <s> and </s> between line breaks, and bytes as <0xNN>.
        tokens.append(["<unk>", "<s>", "</s>"][number] if number < 3
                      else text.replace(" ", "\u2581"))
        scores.append(score)
        kinds.append(UNKNOWN if number == 0 else CONTROL if number < 3
                     else BYTE if number < 259 else NORMAL)
    return {"model": ("str", "llama"), "tokens": ("[str]", tokens),
            "scores": ("[f32]", scores), "token_type": ("[i32]", kinds)}


def main():
    form, *rest, out = sys.argv[1:]
    vocabulary = {"bpe": byte_pairs, "sentencepiece": sentence_piece}[form](*rest)
    size = len(vocabulary["tokens"][1])
    gguf = checkpoints.Gguf({**checkpoints.CONFIG, "vocab_size": size})
    for key in [key for key in gguf.metadata if key.startswith("tokenizer.")]:
        del gguf.metadata[key]
    for key, value in vocabulary.items():
        gguf.metadata["tokenizer.ggml." + key] = value
    pathlib.Path(out).write_bytes(bytes(gguf))


main()
