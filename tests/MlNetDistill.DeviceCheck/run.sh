#!/usr/bin/env bash
# Runs the device check over the libtorch of a Python's PyTorch; arguments are the program's (--help).
#   PYTHON=python3.12  the Python to take; else the first of python3, python, /opt/torch/.venv/bin/python3 that has PyTorch
#   LIBTORCH=FOLDER    a folder with libtorch.so to take instead
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

python=
for candidate in "${PYTHON:-}" python3 python /opt/torch/.venv/bin/python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import torch' 2>/dev/null; then python=$(command -v "$candidate"); break; fi
done
if [ -n "${LIBTORCH:-}" ]; then
    version=unknown folders=$LIBTORCH
    [ -e "$LIBTORCH/libtorch.so" ] || { echo "There is no libtorch.so in $LIBTORCH." >&2; exit 1; }
elif [ -n "$python" ]; then
    { read -r version; read -r folders; } < <("$python" "$here/libtorch.py" "$here/symbols.txt")
else
    echo "No Python here has PyTorch: set PYTHON to one that has it, or LIBTORCH to a folder with libtorch.so." >&2
    exit 1
fi

# TorchSharp's native library needs the C++ library of GCC 13.2; the one that came along is for machines with an older one.
if [ -e "$here/cxx/libstdc++.so.6" ]; then
    known=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p)
    system=$(awk '$1 == "libstdc++.so.6" && /x86-64/ { print $NF; exit }' <<<"$known")
    if [ -z "$system" ] || ! grep -aqF GLIBCXX_3.4.32 "$system"; then
        echo "The system's C++ library (${system:-none}) is too old; taking the one that came along."
        folders=$here/cxx:$folders
    fi
fi

chmod +x "$here/MlNetDistill.DeviceCheck"
export DEVICE_CHECK_PYTHON=$python DEVICE_CHECK_PYTORCH=$version DEVICE_CHECK_LIBRARY_PATH=${LD_LIBRARY_PATH:-}
export LD_LIBRARY_PATH=$folders${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
exec "$here/MlNetDistill.DeviceCheck" "$@"
