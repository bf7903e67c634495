#!/usr/bin/env python3
"""Writes random modules with latent attention and experts, in small ops.

Usage: random_deepseeks.py FIRST COUNT [--recognised]

As random_modules.py: sizes, storage, routers and the order of ops vary, and unless
--recognised is given some attentions and experts have what forbids to fuse them.
"""

import sys

from random_modules import Model, main


class DeepSeek(Model):
    def __init__(self, seed, recognised):
        super().__init__(seed, recognised)
        pick = self.random.choice
        self.heads = pick([1, 2, 3, 4])
        self.plain, self.rotary = pick([1, 3, 4, 6]), pick([2, 4])
        self.key_size, self.value_size = self.plain + self.rotary, pick([1, 4, 5])
        self.latent, self.query_rank = pick([1, 5, 8, 12]), pick([0, 3, 7])
        groups, size = pick([1, 1, 2, 3]), pick([2, 3, 4])
        keep = pick(range(1, groups + 1))
        self.router = f"groups({groups}) keep({keep}) top({pick(range(1, size + 1))}) "
        self.experts = groups * size
        self.chosen = pick(range(1, min(keep * size, 4) + 1))
        self.main_storage = pick(["f32", "f16", "bf16",
                                  "!transformer.scaled<f8E4M3FN, 4, 4>"])

    def declare(self, name, type_, layered):
        super().declare(name, type_, layered)
        tensor = f"layers.{{layer}}.{name}" if layered else name
        new = f"{tensor}.{{expert}}" if name in ("gates", "ups", "downs") else tensor
        scales = f' scales("{new}.scale")' if "scaled" in type_ else ""
        self.weights[name] = self.weights[name].replace(
            f'tensor("{tensor}")', f'tensor("{new}"){scales}')

    def slice(self, f, value, shape, first, count, element):
        """Columns of `value`, whose dimensions behind the rows are `shape`."""
        part = [*shape[:-1], count]
        sizes, ones = ", ".join(map(str, part)), ", ".join("1" for _ in part)
        zeros = "0, " * len(part)
        from_, to = ("x".join(map(str, dims)) for dims in (shape, part))
        return f.op(f"tensor.extract_slice {value}[{zeros}{first}] [%rows, {sizes}] "
                    f"[1, {ones}] : tensor<?x{from_}x{element}> to "
                    f"tensor<?x{to}x{element}>")

    def convert(self, f, value, shape, from_, to):
        return self.rows(f, value, "x".join(map(str, shape)), from_, to)

    #-------------------------------------------------------------------------#
    # Attention
    #-------------------------------------------------------------------------#

    def rotate(self, f, value, heads):
        frequencies = ", ".join(repr(10.0 ** -i) for i in range(self.rotary // 2))
        shape = f"?x{heads}x{self.rotary}x"
        return f.op(f"transformer.rotary_embedding {value}, %positions "
                    f"{'interleaved ' if self.interleaved else ''}"
                    f"frequencies([{frequencies}]) : tensor<{shape}{self.sum}>, "
                    f"tensor<?xi32> -> tensor<{shape}{self.operand}>")

    def concatenate(self, f, plain, rotated):
        left, right, both = (f"tensor<?x{self.heads}x{size}x{self.operand}>"
                             for size in (self.plain, self.rotary, self.key_size))
        return f.op(f"tensor.concat dim(2) {plain}, {rotated} : ({left}, {right}) "
                    f"-> {both}")

    def low_norm(self, f, value, name, size):
        weight, type_ = f.weight(name, size, 0, "f32")
        return f.op(f"transformer.rms_norm {value}, {weight} epsilon(1.0e-3) : "
                    f"tensor<?x{size}x{self.sum}>, {type_} -> "
                    f"tensor<?x{size}x{self.operand}>")

    def query(self, f, x, x_type):
        H, D, columns = self.heads, self.key_size, self.hidden
        if self.query_rank:
            columns = self.query_rank
            low = f.linear(x, x_type, "q_a", columns, self.hidden, self.sum,
                           "q" in self.biased)
            x = self.low_norm(f, low, "q_norm", columns)
            x_type = f"tensor<?x{columns}x{self.operand}>"
        flat = f.linear(x, x_type, "q_b", H * D, columns, self.sum, False)
        heads = self.heads_of(f, flat, H, D, self.sum, False)
        plain = self.slice(f, heads, [H, D], 0, self.plain, self.sum)
        rotated = self.slice(f, heads, [H, D], self.plain, self.rotary, self.sum)
        plain = self.convert(f, plain, [H, self.plain], self.sum, self.operand)
        return self.concatenate(f, plain, self.rotate(f, rotated, H))

    def latents(self, f, x, x_type):
        """The latent [?, C] and the rotated part of keys [?, 1, R]."""
        C, R = self.latent, self.rotary
        low = f.linear(x, x_type, "kv_a", C + R, self.hidden, self.sum,
                       "k" in self.biased)
        latent = self.slice(f, low, [C + R], 0, C, self.sum)
        shared = self.slice(f, low, [C + R], C, R, self.sum)
        shared = self.heads_of(f, shared, 1, R, self.sum, False)
        return self.low_norm(f, latent, "kv_norm", C), self.rotate(f, shared, 1)

    def keys_and_values(self, f, latent, shared):
        H, P, E = self.heads, self.plain, self.value_size
        flat = f.linear(latent, f"tensor<?x{self.latent}x{self.operand}>", "kv_b",
                        H * (P + E), self.latent, self.sum, self.obstacle())
        heads = self.heads_of(f, flat, H, P + E, self.sum, False)
        first = (0, P) if not self.obstacle() else (E, 0)
        plain, value = (
            self.convert(f, self.slice(f, heads, [H, P + E], at, size, self.sum),
                         [H, size], self.sum, self.operand)
            for at, size in zip(first, (P, E)))
        if H > 1 or self.chance(0.5):
            shape = f"x{self.rotary}x{self.operand}>"
            shared = f.op(f"transformer.repeat_heads {shared} times({H}) : "
                          f"tensor<?x1{shape} -> tensor<?x{H}{shape}")
        return self.concatenate(f, plain, shared), value

    def attention(self, f, x, x_type):
        if self.chance(0.5):
            query = self.query(f, x, x_type)
            latent, shared = self.latents(f, x, x_type)
        else:
            latent, shared = self.latents(f, x, x_type)
            query = self.query(f, x, x_type)
        key, value = self.keys_and_values(f, latent, shared)
        return self.mix(f, query, key, value)

    #-------------------------------------------------------------------------#
    # Experts
    #-------------------------------------------------------------------------#

    def route(self, f, wide):
        """Experts and weights of tokens, and scores that are read again."""
        E, J = self.experts, self.chosen
        rows, few = f"tensor<?x{E}xf32>", f"tensor<?x{J}xf32>"
        logits = f.linear(wide, self.residual, "router", E, self.hidden, "f32", False)
        scoring = self.random.choice(["sigmoid", "softmax"])
        scores = f.op(f"transformer.{scoring} {logits} : {rows} -> {rows}")
        bias = ""
        if self.chance(0.5):
            storage = self.random.choice(["f32", "bf16"])
            value, type_ = f.weight("router_bias", E, 0, storage)
            if storage != "f32":
                value = f.op(f"arith.extf {value} : {type_} to tensor<{E}xf32>")
            bias = f"bias({value} : tensor<{E}xf32>) "
        experts = f.op(f"transformer.select_experts {scores} {bias}{self.router}: "
                       f"{rows} -> tensor<?x{J}xi32>")
        weights = f.op(f"transformer.gather_columns {scores}, {experts} : {rows}, "
                       f"tensor<?x{J}xi32> -> {few}")
        steps = [f"transformer.sum_norm {{}} epsilon(1.0e-3) : {few}",
                 f"transformer.scale {{}} by(2.5) : {few}"]
        if self.obstacle():
            steps.reverse()
        for step in steps:
            if self.chance(0.6):
                weights = f.op(step.format(weights))
        return experts, weights, [scores] if self.obstacle() else []

    def expert_linear(self, f, x, x_type, experts, name, rows, columns):
        type_ = f"tensor<{self.experts}x{rows}x{columns}x{self.storage(columns)}>"
        self.declare(name, type_, True)
        weight = f.op(f"transformer.get_weight [@{name}] layer(%layer) : {type_}")
        return f.op(f"transformer.expert_linear {x}, {experts}, {weight} : {x_type}, "
                    f"tensor<?x{self.chosen}xi32>, {type_} -> "
                    f"tensor<?x{self.chosen}x{rows}xf32>")

    def mixture(self, f, x, x_type, experts, weights):
        """The weighted sum of experts, and values of them that are read again."""
        J, I, N = self.chosen, self.inner, self.hidden
        inner, names = f"tensor<?x{J}x{I}xf32>", ["gates", "ups"]
        self.random.shuffle(names)
        flat = {name: self.expert_linear(f, x, x_type, experts, name, I, N)
                for name in names}
        open_ = f.op(f"transformer.silu {flat['gates']} : {inner} -> {inner}")
        pair = [open_, flat["ups"]]
        self.random.shuffle(pair)
        product = f.op(f"arith.mulf {pair[0]}, {pair[1]} : {inner}")
        seen = [product] if self.obstacle() else []
        if self.chance(0.2):
            product = f.op(f"arith.addf {product}, {flat['ups']} : {inner}")
        if self.obstacle():
            product = f.op(f"transformer.softmax {product} : {inner} -> {inner}")
        product = self.convert(f, product, [J, I], "f32", self.operand)
        down = self.expert_linear(f, product, f"tensor<?x{J}x{I}x{self.operand}>",
                                  experts, "downs", N, I)
        letters = self.random.choice(["tj,tjn->tn", "ab,abc->ac"])
        return f.op(f'transformer.einsum "{letters}" {weights}, {down} : '
                    f"tensor<?x{J}xf32>, tensor<?x{J}x{N}xf32> -> {self.residual}"), seen

    def add_mlp(self, f, x, read):
        weight, type_ = f.weight("norm2", self.hidden, 0, "f32")
        wide = f.op(f"transformer.rms_norm {x}, {weight} epsilon(1.0e-3) : "
                    f"{self.residual}, {type_} -> {self.residual}")
        normed = self.rows(f, wide, self.hidden, "f32", self.operand)
        experts, weights, seen = self.route(f, wide)
        mixed, more = self.mixture(f, normed, read, experts, weights)
        x = self.add(f, x, mixed)
        if self.chance(0.6):
            gated = self.gated(f, normed, read)
            x = self.add(f, x, f.linear(
                gated, f"tensor<?x{self.inner}x{self.operand}>", "down", self.hidden,
                self.inner, "f32", "down" in self.biased))
        x = self.read_again(f, x, seen, f"tensor<?x{self.experts}xf32>", "te")
        x = self.read_again(f, x, more, f"tensor<?x{self.chosen}x{self.inner}xf32>", "tji")
        return x


if __name__ == "__main__":
    main(DeepSeek, *sys.argv[1:])
