#!/usr/bin/env bash
# Installs what the .NET SDK and TorchSharp need on this machine, above all the C++ library of GCC 13.2 or newer: finds what is missing, lists what it will
# install, and installs it. Called by quickstart.sh and test.sh. If nothing is missing, it ends at once.
#
#   eng/prepare.sh [NAME...]     NAME: what else is needed: a shared library (libgomp.so.1) or a program (node, chromium, curl, shellcheck)
set -euo pipefail

readonly cxx_version=GLIBCXX_3.4.32
readonly node_version=20.19
readonly sdk_version=10
readonly good_systems="Debian 13, Ubuntu 24.04 or a default .NET $sdk_version image"

stop() { echo "$*" >&2; exit 1; }

# A field of /etc/os-release; empty if it is not there.
release() { sed -n "s/^$1=//p" "${OS_RELEASE:-/etc/os-release}" 2>/dev/null | tr -d "\"'" | tail -n 1 || true; }
system() { echo "$(release ID) $(release VERSION_ID)"; }
system_name() { local name; name=$(release PRETTY_NAME); echo "${name:-this Linux}"; }

# ldconfig may not be on PATH.
known_libraries() { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; }
# grep -c reads all lines; grep -q would stop early, and with pipefail the pipe would fail.
knows() { known_libraries | grep -cE "$1" >/dev/null; }

# The file that the dynamic loader uses for a library; empty if there is none.
library() { local file; file=$(given_library "$1"); echo "${file:-$(system_library "$1")}"; }
system_library() { known_libraries | awk -v name="$1" '$1 == name && /x86-64/ && !found { print $NF; found = 1 }'; }
given_library() {
    local folder folders
    IFS=: read -r -a folders <<<"${LD_LIBRARY_PATH:-}"
    for folder in "${folders[@]}"; do
        if [ -n "$folder" ] && [ -e "$folder/$1" ]; then echo "$folder/$1"; return; fi
    done
}
is_new() { [ -n "$1" ] && grep -aqF "$cxx_version" "$1"; }

found_cxx() {
    local file
    file=$(library libstdc++.so.6)
    if [ -z "$file" ]; then echo "no libstdc++.so.6"; return; fi
    echo "$file with $(grep -aoE 'GLIBCXX_3\.4\.[0-9]+' "$file" | sort -uV | tail -n 1)"
}

check_platform() {
    case $(uname -s) in
        Linux) ;;
        # There, the TorchSharp package contains all that it needs.
        Darwin | MINGW* | MSYS* | CYGWIN*) check_sdk; exit 0 ;;
        *) stop "TorchSharp has native libraries for Linux, Windows and macOS, not for $(uname -s)." ;;
    esac
    [ "$(uname -m)" = x86_64 ] || stop "TorchSharp has no native library for Linux on $(uname -m): use an x86-64 machine, or Windows or macOS on Arm."
    ! compgen -G '/lib/ld-musl-*' >/dev/null || [ -e /lib64/ld-linux-x86-64.so.2 ] ||
        stop "libtorch is built for glibc and does not run on musl (Alpine): use $good_systems."
}

check_sdk() {
    local newest
    newest=$(dotnet --list-sdks 2>/dev/null | sed 's/\..*//' | sort -n | tail -n 1) || true
    [ "${newest:-0}" -ge "$sdk_version" ] ||
        stop "The .NET SDK $sdk_version or newer is missing (found: ${newest:-none}): install it (https://dotnet.microsoft.com/download) and have 'dotnet' on PATH."
}

# Record what is missing, as text, and the packages with it: from the archive of this release, or from a newer one.
lacks() { missing+=("$1"); own+=("${@:2}"); }
lacks_newer() { missing+=("$1"); newer+=("${@:2}"); }

look() {
    missing=() own=() newer=()
    # Dependencies of the .NET runtime: https://learn.microsoft.com/dotnet/core/install/linux-debian#dependencies
    [[ "${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-}" =~ ^(1|[Tt][Rr][Uu][Ee])$ ]] || knows 'libicuuc\.so\.' || lacks libicu '^libicu[0-9]+$'
    knows 'libssl\.so\.[13]' || lacks libssl '^libssl(3|3t64)$'
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || lacks ca-certificates ca-certificates
    local name
    for name; do look_for "$name"; done
    is_new "$(library libstdc++.so.6)" || lacks_newer "the C++ library of GCC 13.2 or newer ($cxx_version; found $(found_cxx))" libstdc++6
}

look_for() {
    case $1 in
        libgomp.so.1) [ -n "$(library "$1")" ] || lacks "$1" libgomp1 ;;
        node)
            local found; found=$(node --version 2>/dev/null) || found=none
            { [ "$(printf '%s\n' "$node_version" "${found#v}" | sort -V | head -n 1)" = "$node_version" ] && [ -n "$(command -v npm)" ]; } ||
                lacks_newer "Node.js $node_version or newer with npm (found: $found)" nodejs npm
            ;;
        chromium | curl | shellcheck) [ -n "$(command -v "$1")" ] || lacks "$1" "$1" ;;
        *) stop "eng/prepare.sh has no package for '$1'; it has packages for libgomp.so.1, node, chromium, curl and shellcheck." ;;
    esac
}

# The archive with newer packages for this system; empty if none is known.
newer_source() {
    case "$(system) ${newer[*]}" in
        "debian 12 "*)
            echo "Debian 13 (trixie), with a low priority. libstdc++6 needs a newer libc6, which also replaces" \
                "base-files, so /etc/os-release will name Debian 13"
            ;;
        "debian 13 nodejs npm") echo "Debian 13 (trixie)" ;;
        "ubuntu 22.04 libstdc++6") echo "the Ubuntu toolchain archive (ppa:ubuntu-toolchain-r/test)" ;;
    esac
}

# Asks for confirmation if the input is a terminal, wherever the output goes.
confirm() {
    local answer
    if [ ! -t 0 ] || [[ "${CI:-}" =~ ^(1|[Tt][Rr][Uu][Ee])$ ]]; then return; fi
    read -r -p "Continue? [Y/n] " answer || answer=n
    case $answer in '' | [Yy]*) ;; *) stop "Nothing was installed." ;; esac
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || { cat "$log" >&2; stop "'apt-get $*' failed; its output is above."; }
}
apt_install() { apt install --yes --no-install-recommends "$@"; }

add_trixie() {
    local mirror
    # shellcheck disable=SC2016 # apt's variable
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -n 1)
    # The priority first: if the script is interrupted here, no source is left that would upgrade the whole system.
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >/etc/apt/preferences.d/mlnetdistill-trixie
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
        "${mirror:-http://deb.debian.org/debian}" >/etc/apt/sources.list.d/mlnetdistill-trixie.sources
    apt update
}

install_newer() {
    case $(system) in
        # A Debian 12 with this libc6 reports version 13, but its archive is still that of 12.
        "debian 12" | "debian 13")
            [ -n "$(apt-get indextargets 'Created-By: Packages' 'Codename: trixie')" ] || add_trixie
            # libstdc++6 must not remove packages; Node.js may: it replaces libssl3 of Debian 12 by libssl3t64.
            case " ${newer[*]} " in *" nodejs "*) ;; *) set -- --no-remove ;; esac
            apt_install -t trixie "$@" "${newer[@]}"
            ;;
        "ubuntu 22.04")
            apt_install software-properties-common
            add-apt-repository --yes ppa:ubuntu-toolchain-r/test
            apt_install --no-remove "${newer[@]}"
            ;;
    esac
}

main() {
    check_platform
    look "$@"
    if [ ${#missing[@]} = 0 ]; then check_sdk; return; fi

    local lacking; lacking=$(printf '%s, ' "${missing[@]}")
    lacking="This machine ($(system_name)) does not have ${lacking%, }"
    ! is_new "$(system_library libstdc++.so.6)" || is_new "$(library libstdc++.so.6)" ||
        stop "$lacking on its library path, but the system has it: remove $(dirname "$(library libstdc++.so.6)") from LD_LIBRARY_PATH."
    case $(system) in
        "debian "* | "ubuntu "*) ;;
        *) stop "$lacking. Install it, or use $good_systems." ;;
    esac
    [ ${#newer[@]} = 0 ] || [ -n "$(newer_source)" ] || stop "$lacking, and this script knows no archive with a newer ${newer[*]}. Use $good_systems."
    check_sdk
    [ "$(id -u)" = 0 ] || stop "$lacking. To install it, run: sudo env \"PATH=\$PATH\" bash $(printf '%q ' "$(readlink -f "$0")" "$@")"

    echo "$lacking."
    [ ${#own[@]} = 0 ] || echo "Will install from the archive of this system: $(printf '%s\n' "${own[@]}" | tr -d '^$' | sed 's/[[(].*//' | paste -sd ' ')."
    [ ${#newer[@]} = 0 ] || echo "Will install ${newer[*]} from $(newer_source)."
    confirm
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    apt update
    [ ${#own[@]} = 0 ] || apt_install --no-remove "${own[@]}"
    [ ${#newer[@]} = 0 ] || install_newer
    hash -r
    look "$@"
    [ ${#missing[@]} = 0 ] || stop "Installed, but still missing: ${missing[*]}. LD_LIBRARY_PATH or PATH may find another version first."
    echo "Done."
}

main "$@"
