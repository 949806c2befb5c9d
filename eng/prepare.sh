#!/usr/bin/env bash
# Makes this machine able to run TorchSharp, whose native library needs the C++ library of GCC 13.2 or newer, and the .NET SDK: looks what is missing,
# says what it will do, does it. Called by quickstart.sh and test.sh; does nothing where nothing is missing.
#
#   eng/prepare.sh [LIBRARY...]     LIBRARY: a shared library that is needed besides, such as libgomp.so.1
set -euo pipefail

readonly needed_version=GLIBCXX_3.4.32
readonly needed_sdk=10
readonly trixie_files=/etc/apt/sources.list.d/mlnetdistill-trixie.sources
readonly trixie_pin=/etc/apt/preferences.d/mlnetdistill-trixie

stop() { echo "$*" >&2; exit 1; }

# The file that the dynamic loader takes for a library's name; nothing if there is none.
library() {
    local folder
    for folder in ${LD_LIBRARY_PATH:+${LD_LIBRARY_PATH//:/ }}; do
        if [ -e "$folder/$1" ]; then echo "$folder/$1"; return; fi
    done
    known_libraries | awk -v name="$1" '$1 == name && /x86-64/ && !found { print $NF; found = 1 }'
}

# ldconfig is not on everybody's PATH.
known_libraries() { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; }

has_new_cxx() { local file; file=$(library libstdc++.so.6) && [ -n "$file" ] && grep -aq "${needed_version//./\\.}" "$file"; }

found_cxx() {
    local file
    file=$(library libstdc++.so.6)
    if [ -z "$file" ]; then echo "no libstdc++.so.6"; return; fi
    echo "$file with $(grep -aoE 'GLIBCXX_3\.4\.[0-9]+' "$file" | sort -uV | tail -n 1)"
}

check_platform() {
    case $(uname -s) in
        Linux) ;;
        # TorchSharp brings all that it needs there.
        Darwin | MINGW* | MSYS* | CYGWIN*) check_sdk; exit 0 ;;
        *) stop "TorchSharp has native libraries for Linux, Windows and macOS, not for $(uname -s)." ;;
    esac
    [ "$(uname -m)" = x86_64 ] ||
        stop "TorchSharp has no native library for Linux on $(uname -m): take an x86-64 machine, or Windows or macOS on Arm."
    ! compgen -G '/lib/ld-musl-*' >/dev/null || [ -e /lib64/ld-linux-x86-64.so.2 ] ||
        stop "libtorch is built for glibc and cannot work on musl (Alpine): take Debian 13, Ubuntu 24.04 or a default .NET $needed_sdk image."
}

check_sdk() {
    local newest
    newest=$(dotnet --list-sdks 2>/dev/null | sed 's/\..*//' | sort -n | tail -n 1) || true
    [ "${newest:-0}" -ge "$needed_sdk" ] ||
        stop "The .NET SDK $needed_sdk or newer is missing (found: ${newest:-none}): install it from https://dotnet.microsoft.com/download, and have 'dotnet' on PATH."
}

# What is missing, as packages of Debian and Ubuntu; and in words.
packages=()
missing=()
need() { missing+=("$1"); packages+=("$2"); }

look() {
    local name
    # The .NET runtime's own: https://learn.microsoft.com/dotnet/core/install/linux-debian#dependencies
    [ "${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-}" = 1 ] || ldconfig_has 'libicuuc\.so\.' || need "libicu" "^libicu[0-9]+$"
    ldconfig_has 'libssl\.so\.[13]' || need "libssl" "^libssl(3|3t64)$"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || need "the certificates of public authorities" ca-certificates
    for name in "$@"; do
        [ -n "$(library "$name")" ] || need "$name" "$(package_of "$name")"
    done
}

ldconfig_has() { known_libraries | grep -E "$1" >/dev/null; }

package_of() { case $1 in libgomp.so.1) echo libgomp1 ;; *) stop "eng/prepare.sh knows no package for $1." ;; esac; }

# Debian and Ubuntu releases that this script knows how to help, by /etc/os-release.
# shellcheck disable=SC1090 # the file is the system's own
system() { (. "${OS_RELEASE:-/etc/os-release}" && echo "${ID:-unknown} ${VERSION_ID:-}"); }
# shellcheck disable=SC1090
system_name() { (. "${OS_RELEASE:-/etc/os-release}" && echo "${PRETTY_NAME:-this system}"); }

cxx_source() {
    case $(system) in
        "debian 12")
            echo "Debian 13 (trixie), pinned low: with it come the libc6 it needs and only what that libc6 replaces, base-files among it," \
                "so that /etc/os-release will name Debian 13"
            ;;
        "ubuntu 22.04") echo "the Ubuntu toolchain archive (ppa:ubuntu-toolchain-r/test)" ;;
    esac
}

confirm() {
    local answer
    [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ] || return 0
    read -r -p "Go on? [Y/n] " answer
    case $answer in '' | [Yy]*) ;; *) stop "Nothing was installed." ;; esac
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 || { cat "$log" >&2; stop "'apt-get $*' failed; its words are above."; }; }

install_cxx() {
    case $(system) in
        "debian 12")
            local mirror
            # shellcheck disable=SC2016 # apt's variable
            mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -n 1)
            printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
                "${mirror:-http://deb.debian.org/debian}" >"$trixie_files"
            printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >"$trixie_pin"
            apt update
            apt install --yes --no-install-recommends --no-remove -t trixie libstdc++6
            ;;
        "ubuntu 22.04")
            apt install --yes --no-install-recommends software-properties-common
            add-apt-repository --yes ppa:ubuntu-toolchain-r/test
            apt install --yes --no-install-recommends --no-remove libstdc++6
            ;;
    esac
}

main() {
    check_platform
    look "$@"
    local cxx=0
    has_new_cxx || { cxx=1; missing+=("the C++ library of GCC 13.2 or newer ($needed_version; found $(found_cxx))"); }
    if [ ${#missing[@]} = 0 ]; then check_sdk; return; fi

    local list; list=$(printf '%s, ' "${missing[@]}"); list=${list%, }
    case $(system) in
        "debian "* | "ubuntu "*) ;;
        *) stop "This machine ($(system_name)) lacks $list: install that, or take Debian 13, Ubuntu 24.04 or a default .NET $needed_sdk image." ;;
    esac
    [ $cxx = 0 ] || [ -n "$(cxx_source)" ] ||
        stop "This machine ($(system_name)) lacks $list, and has no source known for a newer libstdc++6: take Debian 13, Ubuntu 24.04 or a default .NET $needed_sdk image."
    check_sdk
    [ "$(id -u)" = 0 ] ||
        stop "This machine ($(system_name)) lacks $list: have it installed by 'sudo env \"PATH=\$PATH\" $0 $*'."

    echo "This machine ($(system_name)) lacks $list."
    [ ${#packages[@]} = 0 ] || echo "Will install from its own archive: ${packages[*]}"
    [ $cxx = 0 ] || echo "Will install libstdc++6 from $(cxx_source)."
    confirm
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    apt update
    [ ${#packages[@]} = 0 ] || apt install --yes --no-install-recommends "${packages[@]}"
    [ $cxx = 0 ] || install_cxx
    has_new_cxx || stop "libstdc++6 was installed, but the loader still takes $(found_cxx): see LD_LIBRARY_PATH."
    echo "Done."
}

main "$@"
