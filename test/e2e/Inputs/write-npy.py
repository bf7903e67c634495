"""Writes a small .npy: write-npy.py OUT TYPE FORMAT ROWS

TYPE is f4 or f8, FORMAT 1 or 2, ROWS e.g. "3,4;0,nan".
"""

import struct
import sys

out, kind, version, text = sys.argv[1:]
rows = [[float(value) for value in row.split(",")] for row in text.split(";")]
header = str({"descr": f"<{kind}", "fortran_order": False,
              "shape": (len(rows), len(rows[0]))}).encode()
length = "<H" if version == "1" else "<I"
header += b" " * (-(9 + struct.calcsize(length) + len(header)) % 64) + b"\n"
values = [value for row in rows for value in row]
with open(out, "wb") as file:
    file.write(b"\x93NUMPY" + bytes([int(version), 0])
               + struct.pack(length, len(header)) + header
               + struct.pack(f"<{len(values)}{'f' if kind == 'f4' else 'd'}", *values))
