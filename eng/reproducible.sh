#!/usr/bin/env bash
# Packs the current commit from two clones in folders of other names, and compares the packages byte for byte. (A signature, added later, would differ.)
set -euo pipefail
cd "$(dirname "$0")/.."
home=$(sed -n 's:.*<PackageProjectUrl>\(.*\)</PackageProjectUrl>.*:\1:p' src/Directory.Build.props)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for copy in one "another one"; do
    git clone --quiet . "$folder/$copy"
    git -C "$folder/$copy" remote set-url origin "$home"
    "$folder/$copy/eng/pack.sh" "$folder/packages of $copy"
done

for package in "$folder/packages of one"/*; do
    cmp "$package" "$folder/packages of another one/$(basename "$package")"
    # The names of a zip's entries are in it as they are.
    case $package in
        *.nupkg) grep -qaE 'sbom/[A-Za-z.]+\.cdx\.json' "$package" || { echo "$(basename "$package") has no SBOM." >&2; exit 1; } ;;
    esac
    sha256sum "$package" | sed "s:$folder/packages of one/::"
done
