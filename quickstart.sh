#!/usr/bin/env bash
# Prepares the machine and runs the Quickstart; arguments are its own: ./quickstart.sh --quick
set -euo pipefail
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
bash "$root/eng/prepare.sh"
exec dotnet run -c Release --project "$root/examples/Quickstart" -- "$@"
