"""The kernels of this folder with sizes, inputs and what must come out."""

import array
import math
import operator
import os
import random
import struct
import subprocess

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
                 clusters=1):
        self.shape = rows, columns, depth
        layout = gemm.Layout(tile, stages)
        self.text = gemm.text(tile, stages)
        self.launch = ["--grid", str(2 * clusters), "--block", "384", "--cluster",
                       "2", "--shared", str(layout.bytes)]
        across = columns // tile
        self.arguments = [
            f"in:bf16[{rows},{depth}],box=128x64,swizzle=128=file:{{a}}",
            f"in:bf16[{columns},{depth}],box={tile // 2}x64,swizzle=128=file:{{b}}",
            f"out:bf16[{rows},{columns}],box=64x64,swizzle=128>{{d}}",
            f"u32:{rows // 256 * across}", f"u32:{across}", f"u32:{depth // 64}"]
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


kernels = {"gemm": Gemm}
