#!/usr/bin/env bash
# Fails if a package that the solution uses, directly or not, has a known vulnerability. A package source without such data would find none; so a package whose
# vulnerability is known since 2022 is asked about first, and if the source does not know it, this says that nothing was checked, and succeeds.
# A restore or a listing that fails is a fault: it may not look like a source without data.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_UI_LANGUAGE=en

listed() { dotnet list "$1" package --vulnerable --include-transitive --no-restore --format json; }
# What is found, as lines: the package, then its advisory.
found() { grep -E '"(id|resolvedVersion|severity|advisoryurl)"' | grep -B 2 -A 1 '"severity"' || true; }
unlisted() { echo "Vulnerabilities could not be checked: 'dotnet list $1 package --vulnerable' failed."; exit 1; }

probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
cat >"$probe/probe.csproj" <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <NuGetAudit>false</NuGetAudit>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Newtonsoft.Json" Version="12.0.1" />
  </ItemGroup>
</Project>
PROJECT
if ! dotnet restore "$probe/probe.csproj" --verbosity quiet; then
    echo "Vulnerabilities could not be checked: Newtonsoft.Json 12.0.1, which is asked about first, could not be restored."
    exit 1
fi
known=$(listed "$probe/probe.csproj" | found) || unlisted "$probe/probe.csproj"
if [ -z "$known" ]; then
    echo "Vulnerabilities were NOT checked: the package source does not know that of Newtonsoft.Json 12.0.1 (GHSA-5crp-9r3c-p9vr)."
    exit 0
fi

vulnerable=$(listed MlNetDistill.sln | found) || unlisted MlNetDistill.sln
if [ -n "$vulnerable" ]; then
    echo "Packages with known vulnerabilities:"
    echo "$vulnerable"
    exit 1
fi
echo "No package has a known vulnerability."
