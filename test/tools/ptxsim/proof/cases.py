"""The kernels of this folder with sizes, inputs and what must come out."""

import array
import math
import operator
import os
import random
import struct
import subprocess

import attention
import gemm


def to_bf16(value):
    """The bits of a number, rounded to the nearest, ties to even."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return bits + 0x7FFF + (bits >> 16 & 1) >> 16


def from_bf16(bits):
    return struct.unpack("<f", struct.pack("<I", bits << 16))[0]


def bf16_bytes(values):
    return array.array("H", map(to_bf16, values)).tobytes()


def bf16_values(data):
    return [from_bf16(bits) for bits in array.array("H", data)]


def rows(values, width):
    return [values[i:i + width] for i in range(0, len(values), width)]


class Case:
    """One kernel with its arguments.

    `text` is its PTX, `launch` the options of ptx-run, `arguments` its parameters
    as ptx-run takes them with the names of files in braces, `inputs` the bytes of
    those that are read, `outputs` the names of those that are written.
    """

    def write_inputs(self, folder):
        for name, data in self.inputs.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)

    def run(self, ptx_run, text_file, folder, schedule, checks="all",
            options=(), timeout=300):
        """Runs the text in a file once.

        Returns the bytes of the outputs, None if it failed, and what was printed.
        """
        names = [*self.inputs, *self.outputs]
        paths = {name: os.path.join(folder, name) for name in names}
        for name in self.outputs:
            if os.path.exists(paths[name]):
                os.remove(paths[name])
        command = [ptx_run, text_file, *self.launch, *options]
        command += [argument.format(**paths) for argument in self.arguments]
        environment = dict(os.environ, PTXSIM_SCHEDULE=schedule,
                           PTXSIM_CHECK=checks)
        try:
            done = subprocess.run(command, env=environment, text=True,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=timeout)
        except subprocess.TimeoutExpired:
            return None, f"no end within {timeout} s"
        if done.returncode != 0:
            return None, done.stdout + f"exit code {done.returncode}\n"
        data = b""
        for name in self.outputs:
            with open(paths[name], "rb") as file:
                data += file.read()
        return data, done.stdout


class Gemm(Case):
    """D = A * B^T. The inputs are small multiples of 1/16, so that every sum is
    exact in f32 in whatever order, and D has one right answer."""

    name = "gemm"
    outputs = ("d",)

    def __init__(self, rows=256, columns=256, depth=256, tile=128, stages=3,
                 clusters=1, cluster=2):
        self.shape = rows, columns, depth
        layout = gemm.Layout(tile, stages, cluster)
        self.text = gemm.text(tile, stages, cluster)
        self.launch = ["--grid", str(cluster * clusters), "--block", "384",
                       "--cluster", str(cluster), "--shared", str(layout.bytes)]
        across = -(-columns // tile)
        down = -(-rows // (gemm.ROWS * cluster))
        self.arguments = [
            f"in:bf16[{rows},{depth}],box=128x64,swizzle=128=file:{{a}}",
            f"in:bf16[{columns},{depth}],box={tile // cluster}x64,swizzle=128=file:{{b}}",
            f"out:bf16[{rows},{columns}],box=64x64,swizzle=128>{{d}}",
            f"u32:{down * across}", f"u32:{across}",
            f"u32:{-(-depth // gemm.DEPTH)}"]
        numbers = random.Random(5)
        self.a, self.b = ([numbers.randrange(-16, 17) / 16 for _ in range(count)]
                          for count in (rows * depth, columns * depth))
        self.inputs = {"a": bf16_bytes(self.a), "b": bf16_bytes(self.b)}

    def check(self, data):
        """Compares with the exact product; returns "" or what differs."""
        _, columns, depth = self.shape
        lines = rows(self.b, depth)
        for i, a in enumerate(rows(self.a, depth)):
            got = bf16_values(data[2 * columns * i:2 * columns * (i + 1)])
            for j, b in enumerate(lines):
                exact = sum(map(operator.mul, a, b))
                if from_bf16(to_bf16(exact)) != got[j]:
                    return f"D[{i}, {j}]: expected {exact}, got {got[j]}"
        return ""


class Attention(Case):
    """Sizes that are no multiple of a block: the copies fill up with zeros, keys
    beyond the end are masked, queries beyond it are not stored."""

    name = "attention"
    causal = False
    outputs = ("o", "sums")

    def __init__(self, heads=2, queries=200, keys=200, size=64, block=64,
                 stages=2):
        self.shape = heads, queries, keys, size
        layout = attention.Layout(size, block, stages)
        self.text = attention.text(size, block, stages, self.causal)
        across = -(-queries // attention.QUERIES)
        self.launch = ["--grid", f"{across},{heads}", "--block", "384",
                       "--shared", str(layout.bytes)]
        self.scale = 1 / math.sqrt(size)

        def map_of(rows, box):
            return f"bf16[{heads},{rows},{size}],box=1x{box}x64,swizzle=128"

        self.arguments = [
            f"in:{map_of(queries, attention.QUERIES)}=file:{{q}}",
            f"in:{map_of(keys, block)}=file:{{k}}",
            f"in:{map_of(keys, block)}=file:{{v}}",
            f"out:{map_of(queries, 64)}>{{o}}",
            f"out:f32[{heads},{queries}]>{{sums}}",
            f"u32:{queries}", f"u32:{keys}",
            f"f32:{self.scale * math.log2(math.e)}"]
        numbers = random.Random(6)
        self.q, self.k, self.v = (
            [from_bf16(to_bf16(numbers.gauss(0, 1)))
             for _ in range(heads * count * size)]
            for count in (queries, keys, keys))
        self.inputs = {"q": bf16_bytes(self.q), "k": bf16_bytes(self.k),
                       "v": bf16_bytes(self.v)}

    def expected(self):
        """For each row of O: the row, the sum of |p * v| / sum(p) of each of its
        elements, and the logarithm of its sum; in f64."""
        heads, queries, keys, size = self.shape
        q, k, v = rows(self.q, size), rows(self.k, size), rows(self.v, size)
        for head in range(heads):
            own_k = k[head * keys:(head + 1) * keys]
            columns = list(zip(*v[head * keys:(head + 1) * keys]))
            for i in range(queries):
                row = q[head * queries + i]
                seen = i + 1 + keys - queries if self.causal else keys
                s = [self.scale * sum(map(operator.mul, row, key))
                     for key in own_k[:seen]]
                largest = max(s)
                p = [math.exp(x - largest) for x in s]
                total = sum(p)
                o = [sum(map(operator.mul, p, c)) / total for c in columns]
                sizes = [sum(map(operator.mul, p, map(abs, c))) / total
                         for c in columns]
                yield o, sizes, largest + math.log(total)

    def check(self, data):
        """Compares with f64; returns "" or what differs.

        P and O are rounded to bf16, to 2^-9 of their size each; twice that is
        allowed. The rest is f32 and functions of 2^-22: 2^-16 for the logarithm.
        """
        heads, queries, _, size = self.shape
        got = rows(bf16_values(data[:2 * heads * queries * size]), size)
        sums = array.array("f", data[2 * heads * queries * size:])
        for i, (o, sizes, log) in enumerate(self.expected()):
            for j in range(size):
                if not abs(got[i][j] - o[j]) <= (sizes[j] + abs(o[j])) * 2 ** -8:
                    return f"O[{i}, {j}]: expected {o[j]}, got {got[i][j]}"
            if not abs(sums[i] - log) <= (1 + abs(log)) * 2 ** -16:
                return f"sums[{i}]: expected {log}, got {sums[i]}"
        return ""


class CausalAttention(Attention):
    name = "causal-attention"
    causal = True


kernels = {case.name: case for case in (Gemm, Attention, CausalAttention)}
