"""Makes what is no model from FOLDER/m.bin: make-files.py FOLDER"""

import os
import pickle
import struct
import sys

os.chdir(sys.argv[1])
with open("m.bin", "rb") as file:
    model = file.read()
files = {
    "empty": b"",
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 9\n",
    "pickle": pickle.dumps({"weight": [1.0]}, protocol=2),
    "version": model[:8] + struct.pack("<I", 1) + model[12:],
    "escape": model[:8] + struct.pack("<I", 1) + b"\033[2J".ljust(20, b"\0") + model[32:],
    "short": model[:63],
}
for name, data in files.items():
    with open(name + ".bin", "wb") as file:
        file.write(data)
with open("model.gguf", "wb") as file:
    file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
os.mkdir("folder")
os.mkfifo("fifo")
os.symlink("m.bin", "link.bin")
