#!/usr/bin/env bash
# Makes this machine able to run the .NET SDK and TorchSharp, whose native library needs the C++ library of GCC 13.2 or newer: looks what is missing,
# says what it will do, does it. Called by quickstart.sh and test.sh; does nothing, quickly, where nothing is missing.
#
#   eng/prepare.sh [NAME...]     NAME: what is needed besides: a shared library (libgomp.so.1) or a program (node, chromium, curl, shellcheck)
set -euo pipefail

readonly cxx_version=GLIBCXX_3.4.32
readonly node_version=20.19
readonly sdk_version=10
readonly good_systems="Debian 13, Ubuntu 24.04 or a default .NET $sdk_version image"

stop() { echo "$*" >&2; exit 1; }

# A field of /etc/os-release; nothing where it has none.
release() { sed -n "s/^$1=//p" "${OS_RELEASE:-/etc/os-release}" 2>/dev/null | tr -d "\"'" | tail -n 1 || true; }
system() { echo "$(release ID) $(release VERSION_ID)"; }
system_name() { local name; name=$(release PRETTY_NAME); echo "${name:-this Linux}"; }

# ldconfig is not on everybody's PATH.
known_libraries() { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; }
# It reads all lines: with pipefail, a reader that stops early fails the pipe.
knows() { known_libraries | grep -cE "$1" >/dev/null; }

# The file that the dynamic loader takes for a library; nothing if there is none.
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
        # TorchSharp brings all that it needs there.
        Darwin | MINGW* | MSYS* | CYGWIN*) check_sdk; exit 0 ;;
        *) stop "TorchSharp has native libraries for Linux, Windows and macOS, not for $(uname -s)." ;;
    esac
    [ "$(uname -m)" = x86_64 ] || stop "TorchSharp has no native library for Linux on $(uname -m): take an x86-64 machine, or Windows or macOS on Arm."
    ! compgen -G '/lib/ld-musl-*' >/dev/null || [ -e /lib64/ld-linux-x86-64.so.2 ] ||
        stop "libtorch is built for glibc and cannot work on musl (Alpine): take $good_systems."
}

check_sdk() {
    local newest
    newest=$(dotnet --list-sdks 2>/dev/null | sed 's/\..*//' | sort -n | tail -n 1) || true
    [ "${newest:-0}" -ge "$sdk_version" ] ||
        stop "The .NET SDK $sdk_version or newer is missing (found: ${newest:-none}): install it (https://dotnet.microsoft.com/download) and have 'dotnet' on PATH."
}

# What is missing, in words; and the packages that bring it, from the system's own release or from a newer one.
lacks() { missing+=("$1"); own+=("${@:2}"); }
lacks_newer() { missing+=("$1"); newer+=("${@:2}"); }

look() {
    missing=() own=() newer=()
    # The .NET runtime's own: https://learn.microsoft.com/dotnet/core/install/linux-debian#dependencies
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
        *) stop "eng/prepare.sh knows no package for '$1'; it knows libgomp.so.1, node, chromium, curl and shellcheck." ;;
    esac
}

# Where a system gets what its own release has not new enough; nothing where no such place is known.
newer_source() {
    case "$(system) ${newer[*]}" in
        "debian 12 "*)
            echo "Debian 13 (trixie), pinned low. With libstdc++6 come the libc6 it needs and what that replaces:" \
                "base-files too, so that /etc/os-release will name Debian 13"
            ;;
        "debian 13 nodejs npm") echo "Debian 13 (trixie)" ;;
        "ubuntu 22.04 libstdc++6") echo "the Ubuntu toolchain archive (ppa:ubuntu-toolchain-r/test)" ;;
    esac
}

# Asks where a person sits at the terminal, wherever the output goes.
confirm() {
    local answer
    if [ ! -t 0 ] || [[ "${CI:-}" =~ ^(1|[Tt][Rr][Uu][Ee])$ ]]; then return; fi
    read -r -p "Go on? [Y/n] " answer || answer=n
    case $answer in '' | [Yy]*) ;; *) stop "Nothing was installed." ;; esac
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || { cat "$log" >&2; stop "'apt-get $*' failed; its words are above."; }
}
apt_install() { apt install --yes --no-install-recommends "$@"; }

add_trixie() {
    local mirror
    # shellcheck disable=SC2016 # apt's variable
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -n 1)
    # The pin first: cut off here, the machine is not left with a source that upgrades all of it.
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >/etc/apt/preferences.d/mlnetdistill-trixie
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
        "${mirror:-http://deb.debian.org/debian}" >/etc/apt/sources.list.d/mlnetdistill-trixie.sources
    apt update
}

install_newer() {
    case $(system) in
        # A Debian 12 that has this libc6 calls itself 13 while its archive is still that of 12.
        "debian 12" | "debian 13")
            [ -n "$(apt-get indextargets 'Created-By: Packages' 'Codename: trixie')" ] || add_trixie
            # Beside libstdc++6 nothing may go; Node.js replaces Debian 12's libssl3 by libssl3t64.
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
    lacking="This machine ($(system_name)) lacks ${lacking%, }"
    ! is_new "$(system_library libstdc++.so.6)" || is_new "$(library libstdc++.so.6)" ||
        stop "$lacking, but the system has it: take $(dirname "$(library libstdc++.so.6)") out of LD_LIBRARY_PATH."
    case $(system) in
        "debian "* | "ubuntu "*) ;;
        *) stop "$lacking: install that, or take $good_systems." ;;
    esac
    [ ${#newer[@]} = 0 ] || [ -n "$(newer_source)" ] || stop "$lacking, and no source of a newer ${newer[*]} is known here: take $good_systems."
    check_sdk
    [ "$(id -u)" = 0 ] || stop "$lacking: have it installed by: sudo env \"PATH=\$PATH\" bash $(printf '%q ' "$(readlink -f "$0")" "$@")"

    echo "$lacking."
    [ ${#own[@]} = 0 ] || echo "Will install from its own archive: $(printf '%s\n' "${own[@]}" | tr -d '^$' | sed 's/[[(].*//' | paste -sd ' ')."
    [ ${#newer[@]} = 0 ] || echo "Will install ${newer[*]} from $(newer_source)."
    confirm
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    apt update
    [ ${#own[@]} = 0 ] || apt_install --no-remove "${own[@]}"
    [ ${#newer[@]} = 0 ] || install_newer
    hash -r
    look "$@"
    [ ${#missing[@]} = 0 ] || stop "Installed, but still missing: ${missing[*]}. LD_LIBRARY_PATH or PATH may name another one first."
    echo "Done."
}

main "$@"
