"""Says where this Python's PyTorch has its libraries, and which symbols TorchSharp's native library would miss there: libtorch.py NAMES_FILE"""
import ctypes
import glob
import os
import sys

import torch

folder = os.path.join(os.path.dirname(torch.__file__), "lib")
site = os.path.dirname(os.path.dirname(torch.__file__))
folders = [folder, *sorted(glob.glob(os.path.join(site, "nvidia", "*", "lib")))]
libraries = []
for name in "libc10.so", "libtorch_cpu.so", "libtorch.so", "libc10_cuda.so", "libtorch_cuda.so":
    if os.path.exists(os.path.join(folder, name)):
        try:
            libraries.append(ctypes.CDLL(os.path.join(folder, name)))
        except OSError as error:
            print(f"{name}: {error}", file=sys.stderr)


def has(symbol):
    return any(hasattr(library, symbol) for library in libraries)


names = open(sys.argv[1]).read().split() if os.path.exists(sys.argv[1]) else []
missing = [name for name in names if not has(name)]
print(torch.__version__)
print(":".join(folders))
print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}: of {len(names)} symbols that TorchSharp's native library takes from libtorch "
      f"{len(missing)} are missing{': ' + ' '.join(missing) if missing else ''}", file=sys.stderr)
