#!/usr/bin/env bash
# Packs the libraries as for a release: each with a bill of materials (SBOM, CycloneDX), the same bytes for the same commit.
#
#   eng/pack.sh FOLDER [-p:NAME=VALUE...]    FOLDER: where the packages go; NAME: a property of MSBuild, for example Version
#
# Other arguments of dotnet pack are not taken: MSBuild, which is asked for the version, does not know them.
set -euo pipefail
packages=$(realpath -m "${1:?Name the folder for the packages.}")
shift
for argument in "$@"; do
    [[ $argument == -p:*=* ]] || { echo "'$argument' is not of the form -p:NAME=VALUE." >&2; exit 1; }
done
cd "$(dirname "$0")/.."

boms=$(mktemp -d)
trap 'rm -rf "$boms"' EXIT
# The output of a command, only if it fails.
quietly() { "$@" >"$boms/output" 2>&1 || { cat "$boms/output" >&2; exit 1; }; }

# The tool writes the time of the run; the entries of the packages have this one (src/Directory.Build.props).
time=$(date -u -d "@${SOURCE_DATE_EPOCH:-946684800}" +%Y-%m-%dT%H:%M:%SZ)
quietly dotnet tool restore
for library in MlNetDistill.Torch MlNetDistill MlNetDistill.Scoring; do
    project=src/$library/$library.csproj
    dotnet restore "$project" --verbosity quiet
    version=$(dotnet msbuild "$project" -getProperty:PackageVersion "$@") || { echo "$version" >&2; exit 1; }
    # Without development dependencies and a random serial number; with the other libraries of this project as components.
    quietly dotnet dotnet-CycloneDX "$project" --output-format Json --disable-package-restore --exclude-dev --no-serial-number --include-project-references \
        --set-name "$library" --set-version "$version" --set-type Library --set-nuget-purl --output "$boms" --filename "$library.cdx.json"
    sed -i "s/\"timestamp\": \"[^\"]*\"/\"timestamp\": \"$time\"/" "$boms/$library.cdx.json"
    dotnet pack "$project" --no-restore --output "$packages" --verbosity quiet -p:SbomFolder="$boms" "$@"
done
