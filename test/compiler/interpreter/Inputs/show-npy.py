#!/usr/bin/env python3
"""Prints the shape and the first four elements of a .npy file of float64."""
import array
import ast
import struct
import sys

data = open(sys.argv[1], "rb").read()
length, = struct.unpack_from("<H", data, 8)
header = ast.literal_eval(data[10:10 + length].decode())
values = array.array("d", data[10 + length:])
assert header["descr"] == "<f8" and not header["fortran_order"]
print(header["shape"], *values[:4])
