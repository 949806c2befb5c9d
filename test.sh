#!/usr/bin/env bash
# Prepares the machine and runs the tests; arguments are those of "dotnet test": ./test.sh --filter Golden
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
# LightGBM, a teacher in the tests, needs the system's OpenMP.
bash eng/prepare.sh libgomp.so.1
exec dotnet test -c Release "$@"
