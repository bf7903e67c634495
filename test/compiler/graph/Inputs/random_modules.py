#!/usr/bin/env python3
"""Writes random models in small ops, as an importer would or would not.

Usage: random_modules.py FIRST COUNT [--recognised]

Prints modules of the seeds FIRST to FIRST + COUNT - 1, to be split at "-----".
Heads, sizes, storage, biases and the order of ops vary. Some intermediate values
have a second reader, which forbids passes to fuse them; with --recognised no
value of an attention has one, so that the module can become a batch.

Needs only the standard library; the same seed gives the same module.
"""

import random
import sys


class Function:
    """The body of a function that is being written."""

    def __init__(self, model):
        self.model, self.lines, self.count = model, [], 0

    def op(self, text, result=None):
        """Adds the op `text` and returns the name of its result."""
        self.count += 1
        name = f"%{result or 'v'}{self.count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def weight(self, name, rows, columns, storage, layered=True):
        """Declares a weight and reads it; returns (value, type)."""
        shape = f"{rows}x{columns}" if columns else f"{rows}"
        type_ = f"tensor<{shape}x{storage}>"
        self.model.declare(name, type_, layered)
        layer = " layer(%layer)" if layered else ""
        return self.op(f"transformer.get_weight [@{name}]{layer} : {type_}"), type_

    def linear(self, x, x_type, name, rows, columns, result, bias, layered=True):
        weight, type_ = self.weight(name, rows, columns,
                                    self.model.storage(columns), layered)
        extra = ""
        if bias:
            value, bias_type = self.weight(f"{name}_bias", rows, 0, "f32", layered)
            extra = f" bias({value} : {bias_type})"
        return self.op(f"transformer.linear {x}, {weight}{extra} : {x_type}, "
                       f"{type_} -> tensor<?x{rows}x{result}>")


class Model:
    def __init__(self, seed, recognised):
        self.random = random.Random(seed)
        self.recognised = recognised
        pick, self.weights = self.random.choice, {}
        self.key_heads, self.times = pick([1, 2, 3]), pick([1, 1, 2, 3, 5])
        self.heads = self.key_heads * self.times
        self.key_size, self.value_size = pick([2, 4, 6, 10]), pick([1, 4, 6, 7])
        self.hidden = pick([1, 7, 12, 32, 33])
        self.inner = pick([1, 5, 8, 31])
        self.vocabulary = pick([2, 11, 40])
        self.layers = pick([1, 2, 3])
        # What linear layers multiply, and what they give.
        self.operand, self.sum = pick([("f32", "f32"), ("bf16", "f32"), ("bf16", "bf16")])
        self.main_storage = pick(["f32", "f16", "bf16", "!transformer.block<q8_0>"])
        self.tied = self.chance(0.3)
        self.biased = self.random.sample(["q", "k", "v", "o", "gate", "up", "down"],
                                         pick([0, 0, 3, 7]))
        if self.chance(0.3):
            self.biased = ["q", "k", "v", "gate", "up"]

    def chance(self, probability):
        return self.random.random() < probability

    def obstacle(self):
        """Whether an attention gets what forbids to fuse it."""
        return not self.recognised and self.chance(0.12)

    def storage(self, columns):
        """The storage of a weight: now and then not that of the others."""
        storage = self.main_storage
        if self.chance(0.15):
            storage = self.random.choice(["f32", "bf16"])
        return "f32" if "block" in storage and columns % 32 else storage

    def declare(self, name, type_, layered):
        tensor = f"layers.{{layer}}.{name}" if layered else name
        layers = f" layers(0, {self.layers})" if layered else ""
        self.weights[name] = (f'transformer.weight @{name} tensor("{tensor}")'
                              f"{layers} : {type_}")

    #-------------------------------------------------------------------------#
    # Attention
    #-------------------------------------------------------------------------#

    def rows(self, f, value, columns, from_, to):
        """`value` [?, columns] in another element type."""
        if from_ == to:
            return value
        op = "arith.truncf" if from_ == "f32" else "arith.extf"
        return f.op(f"{op} {value} : tensor<?x{columns}x{from_}> to "
                    f"tensor<?x{columns}x{to}>")

    def heads_of(self, f, value, heads, size, element, rotated):
        flat, split = (f"tensor<?x{heads * size}x{element}>",
                       f"tensor<?x{heads}x{size}x{element}>")
        value = f.op(f"tensor.expand_shape {value} [[0], [1, 2]] output_shape "
                     f"[%rows, {heads}, {size}] : {flat} into {split}")
        if not rotated:
            return value
        frequencies = ", ".join(repr(10.0 ** -(i / 2)) for i in range(size // 2))
        return f.op(f"transformer.rotary_embedding {value}, %positions "
                    f"{'interleaved ' if self.interleaved else ''}"
                    f"frequencies([{frequencies}]) : {split}, tensor<?xi32> -> {split}")

    def scores(self, f, query, key):
        """Scaled and masked scores; returns them and the second readers' values."""
        a, b = self.random.choice(["thd,shd->hts", "abc,dbc->bad"]), self.operand
        query_type = f"tensor<?x{self.heads}x{self.key_size}x{b}>"
        type_ = f"tensor<{self.heads}x?x?xf32>"
        value = f.op(f'transformer.einsum "{a}" {query}, {key} : {query_type}, '
                     f"{query_type} -> {type_}")
        seen = [value] if self.obstacle() else []
        before, after = self.random.choice([(1, 0), (0, 1), (1, 1), (0, 0)])
        if before:
            value = f.op(f"transformer.scale {value} by(0.5) : {type_}")
            seen += [value] if self.obstacle() else []
        if self.obstacle():
            self.unmasked = True
        else:
            value = f.op(f"transformer.causal_mask {value}, %positions, %positions"
                         f" : {type_}, tensor<?xi32>, tensor<?xi32>")
        if after:
            value = f.op(f"transformer.scale {value} by(0.75) : {type_}")
        return value, seen

    def attention(self, f, x, x_type):
        """The result [?, heads * value_size], and what else was read."""
        H, G, D, E = self.heads, self.key_heads, self.key_size, self.value_size
        parts = {"q": H * D, "k": G * D, "v": G * E}
        names, flat = list(parts), {}
        self.random.shuffle(names)
        for name in names:
            flat[name] = f.linear(x, x_type, name, parts[name], self.hidden,
                                  self.sum, name in self.biased)
        element = self.operand
        flat = {name: self.rows(f, value, parts[name], self.sum, element)
                for name, value in flat.items()}
        query = self.heads_of(f, flat["q"], H, D, element, True)
        key = self.heads_of(f, flat["k"], G, D, element, True)
        value = self.heads_of(f, flat["v"], G, E, element, False)
        if self.times > 1 or self.chance(0.5):
            key, value = (
                f.op(f"transformer.repeat_heads {part} times({self.times}) : "
                     f"tensor<?x{G}x{size}x{element}> -> tensor<?x{H}x{size}x{element}>")
                for part, size in ((key, D), (value, E)))
        return self.mix(f, query, key, value)

    def mix(self, f, query, key, value):
        """The weighted sum of values, for each head; returns the same."""
        H, E, element = self.heads, self.value_size, self.operand
        scores, seen = self.scores(f, query, key)
        kind = f"tensor<{H}x?x?xf32>"
        weights = f.op(f"transformer.softmax {scores} : {kind} -> {kind}")
        seen += [weights] if self.obstacle() else []
        letters = self.random.choice(["hts,she->the", "bad,dbe->abe"])
        result = f.op(f'transformer.einsum "{letters}" {weights}, {value} : {kind}, '
                      f"tensor<?x{H}x{E}x{element}> -> tensor<?x{H}x{E}x{element}>")
        result = f.op(f"tensor.collapse_shape {result} [[0], [1, 2]] : "
                      f"tensor<?x{H}x{E}x{element}> into tensor<?x{H * E}x{element}>")
        return result, seen, kind

    #-------------------------------------------------------------------------#
    # Layers
    #-------------------------------------------------------------------------#

    def norm(self, f, x, name, layered=True):
        weight, type_ = f.weight(name, self.hidden, 0, "f32", layered)
        return f.op(f"transformer.rms_norm {x}, {weight} epsilon(1.0e-3) : "
                    f"{self.residual}, {type_} -> tensor<?x{self.hidden}x{self.operand}>")

    def add(self, f, x, y):
        pair = [x, y]
        self.random.shuffle(pair)
        return f.op(f"arith.addf {pair[0]}, {pair[1]} : {self.residual}")

    def read_again(self, f, x, seen, kind, letters="hts"):
        """Adds to `x` a little of each scores in `seen`."""
        for scores in seen:
            row = f.op(f'transformer.einsum "{letters},{letters}->t" {scores}, {scores} : '
                       f"{kind}, {kind} -> tensor<?xf32>")
            part = f.op(f'transformer.einsum "t,tn->tn" {row}, {x} : tensor<?xf32>, '
                        f"{self.residual} -> {self.residual}")
            part = f.op(f"transformer.scale {part} by(0.01) : {self.residual}")
            x = self.add(f, x, part)
        return x

    def gated(self, f, x, x_type):
        """The gated MLP up to what its last layer reads, and what else was read."""
        inner, names = self.inner, ["gate", "up"]
        self.random.shuffle(names)
        flat = {name: self.rows(f, f.linear(x, x_type, name, inner, self.hidden,
                                            self.sum, name in self.biased),
                                inner, self.sum, "f32")
                for name in names}
        type_ = f"tensor<?x{inner}xf32>"
        open_ = f.op(f"transformer.silu {flat['gate']} : {type_} -> {type_}")
        pair = [open_, flat["up"]]
        self.random.shuffle(pair)
        product = f.op(f"arith.mulf {pair[0]}, {pair[1]} : {type_}")
        if self.chance(0.15):
            product = f.op(f"arith.addf {product}, {open_} : {type_}")
        if self.chance(0.15):
            product = f.op(f"arith.addf {product}, {flat['up']} : {type_}")
        return self.rows(f, product, inner, "f32", self.operand)

    def add_mlp(self, f, x, read):
        early = self.add(f, x, x) if self.chance(0.2) else None
        normed = self.norm(f, x, "norm2")
        second = self.norm(f, x, "norm3") if self.chance(0.2) else None
        gated = self.gated(f, normed, read)
        columns = f"tensor<?x{self.inner}x{self.operand}>"
        down = f.linear(gated, columns, "down", self.hidden, self.inner, "f32",
                        "down" in self.biased)
        x = self.add(f, x, down)
        if second:
            x = self.add(f, x, f.linear(second, read, "beside", self.hidden,
                                        self.hidden, "f32", False))
        if early:
            x = self.add(f, x, early)
        return x

    def layer(self):
        f = Function(self)
        self.residual = f"tensor<?x{self.hidden}xf32>"
        self.interleaved, x = self.chance(0.5), "%x"
        f.lines += ["  %c0 = arith.constant 0 : index",
                    f"  %rows = tensor.dim %x, %c0 : {self.residual}"]
        read = f"tensor<?x{self.hidden}x{self.operand}>"
        normed = self.norm(f, x, "norm1")
        o, seen, kind = self.attention(f, normed, read)
        o = f.linear(o, f"tensor<?x{self.heads * self.value_size}x{self.operand}>",
                     "o", self.hidden, self.heads * self.value_size, "f32",
                     "o" in self.biased)
        x = self.add(f, x, o)
        x = self.add_mlp(f, x, read)
        x = self.read_again(f, x, seen, kind)
        return "\n".join(
            [f"func.func private @layer(%x: {self.residual}, %positions: tensor<?xi32>, "
             f"%layer: index) -> {self.residual} {{", *f.lines,
             f"  return {x} : {self.residual}", "}"])

    def forward(self):
        f = Function(self)
        N, V = self.hidden, self.vocabulary
        storage = self.storage(N)
        table, type_ = f.weight("embed", V, N, storage, layered=False)
        x = f.op(f"transformer.embedding %tokens, {table} : tensor<?xi32>, {type_} "
                 f"-> {self.residual}")
        f.lines += ["  %first = arith.constant 0 : index",
                    "  %step = arith.constant 1 : index",
                    f"  %end = arith.constant {self.layers} : index",
                    f"  %last = scf.for %i = %first to %end step %step "
                    f"iter_args(%h = {x}) -> {self.residual} {{",
                    "    %next = func.call @layer(%h, %positions, %i) : "
                    f"({self.residual}, tensor<?xi32>, index) -> {self.residual}",
                    f"    scf.yield %next : {self.residual}", "  }"]
        normed = self.norm(f, "%last", "norm", layered=False)
        if not self.tied:
            table, type_ = f.weight("head", V, N, self.storage(N), layered=False)
        logits = f.op(f"transformer.linear {normed}, {table} : "
                      f"tensor<?x{N}x{self.operand}>, {type_} -> tensor<?x{V}xf32>")
        return "\n".join(
            ["func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>) "
             f"-> tensor<?x{V}xf32> {{", *f.lines,
             f"  return {logits} : tensor<?x{V}xf32>", "}"])

    def text(self):
        layer, forward = self.layer(), self.forward()
        return "\n".join([*self.weights.values(), layer, forward])


def main(kind, first, count, *flags):
    modules = (f"// Seed {seed}\n" + kind(seed, "--recognised" in flags).text()
               for seed in range(int(first), int(first) + int(count)))
    print("\n\n// -----\n\n".join(modules))


if __name__ == "__main__":
    main(Model, *sys.argv[1:])
