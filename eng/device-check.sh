#!/usr/bin/env bash
# Packs tests/MlNetDistill.DeviceCheck, which compares a GPU with the CPU on any x86-64 Linux whose Python has PyTorch: no .NET, no libtorch and no network
# are needed there.
#
#   eng/device-check.sh ARCHIVE.tgz
#
# There:  tar xzf ARCHIVE.tgz && device-check/run.sh --device cuda --out FOLDER
set -euo pipefail
archive=$(readlink -f "${1:?"usage: eng/device-check.sh ARCHIVE.tgz"}")
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
packed=$scratch/device-check

dotnet publish -c Release -m:1 --runtime linux-x64 --self-contained -o "$packed" tests/MlNetDistill.DeviceCheck
find "$packed" \( -name '*.pdb' -o -name '*.xml' -o -name 'libtorch*.so*' -o -name 'libc10*' -o -name '*.dbg' -o -name 'onnxruntime*.dll' -o -name '*.lib' \) -delete
chmod +x "$packed/run.sh"

# What TorchSharp's native library takes from libtorch, to be looked for on the machine where it will run.
nm -D --undefined-only "$packed/libLibTorchSharp.so" | awk '$1 == "U" && $2 ~ /(3c10|2at|5torch|caffe2)/ { print $2 }' | sort -u >"$packed/symbols.txt"
# For a machine whose C++ library is too old.
mkdir "$packed/cxx"
for library in libstdc++.so.6 libgcc_s.so.1; do
    cp -L "$(ldconfig -p | awk -v name="$library" '$1 == name && /x86-64/ && !found { print $NF; found = 1 }')" "$packed/cxx/$library"
done

tar -C "$scratch" --dereference --owner=0 --group=0 -cf - device-check | gzip -9 >"$archive"
echo "$archive: $(($(stat -c %s "$archive") / 1000000)) MB"
