#!/bin/sh
# Installs the cvm-verify binary of one release. The file belongs to a release and names the SHA-256 of each of its
# binaries; nothing is run or kept whose hash is another.
#
#   sh install.sh [--to FOLDER] [--mirror https://…] [--file BINARY]
#
#   --to FOLDER      where to put it; default: $HOME/.local/bin
#   --mirror URL     a folder on a web server of your own that holds the binaries of the release
#   --file BINARY    a binary that is already there, for machines without a network; its hash is checked as well
#
# Check this file first: its SHA-256 is in SHA256SUMS of the release, and `gh attestation verify install.sh` says which
# workflow made it. Do not pipe it from the network into a shell. Exit codes: 0 installed, 1 not installed, 2 usage.
set -eu

# The release fills this in (scripts/release/installer). In a checkout of a release's commit, dist/manifest.json is read.
manifest=''

fail() { printf 'install.sh: %s\n' "$1" >&2; exit "${2:-1}"; }
value() { [ $# -gt 1 ] && [ -n "$2" ] || fail "$1 needs a value; see the top of this file" 2; }

main() {
  to='' mirror='' file=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --to) value "$@"; to=$2; shift 2 ;;
      --mirror) value "$@"; mirror=$2; shift 2 ;;
      --file) value "$@"; file=$2; shift 2 ;;
      -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p; /^set -eu/q' "$0"; return ;;
      *) fail "$1 is not an option; see the top of this file" 2 ;;
    esac
  done
  [ -n "$to" ] || to=${HOME:-}/.local/bin
  case "$to" in /.local/bin) fail 'HOME is not set; say where with --to FOLDER' 2 ;; esac
  if [ -z "$manifest" ]; then
    here=$(dirname "$0")/dist/manifest.json
    [ -r "$here" ] || fail 'this file is of no release, and dist/manifest.json is not beside it: take install.sh of a release'
    manifest=$(cat "$here")
  fi

  case "$(uname -s)" in
    Linux) os=linux ;;
    Darwin) os=macos ;;
    *) fail "no binary is released for $(uname -s); on Windows use the .exe of the release, or cargo binstall" ;;
  esac
  case "$(uname -m)" in
    x86_64 | amd64) arch=x86_64 ;;
    aarch64 | arm64) arch=aarch64 ;;
    *) fail "no binary is released for $(uname -m): build it with cargo install --locked --path ." ;;
  esac
  line=$(printf '%s\n' "$manifest" | grep "^ *{\"os\":\"$os\",\"arch\":\"$arch\"," || true)
  field() { printf '%s\n' "$line" | sed -n "s/.*\"$1\":\"\{0,1\}\([A-Za-z0-9._-]*\).*/\1/p"; }
  name=$(field file) size=$(field size) sum=$(field sha256)
  [ "${#sum}" = 64 ] || fail "this commit names no binary for $os $arch: only the commit of a release does. Build it with cargo install --locked --path ."
  base=$(printf '%s\n' "$manifest" | sed -n 's/^ *"base_url": *"\(https:[^"]*\)".*/\1/p')

  private=$(mktemp -d) || fail 'no temporary folder can be made: is the disk full?'
  trap 'rm -rf "$private"' EXIT
  trap 'exit 1' INT TERM HUP
  got=$private/cvm-verify
  if [ -n "$file" ]; then
    [ -f "$file" ] && [ -r "$file" ] || fail "$file cannot be read"
    cp -- "$file" "$got" || fail 'it cannot be copied into a temporary folder: is the disk full?'
  else
    [ -z "$mirror" ] || base=$mirror
    while case "$base" in */) true ;; *) false ;; esac; do base=${base%/}; done
    case "$base" in https://*) ;; *) fail 'a mirror is https://…' 2 ;; esac
    printf 'install.sh: downloading %s/%s\n' "$base" "$name" >&2
    download "$base/$name" "$size" "$got"
  fi
  if command -v sha256sum >/dev/null; then found=$(sha256sum <"$got")
  elif command -v shasum >/dev/null; then found=$(shasum -a 256 <"$got")
  elif command -v openssl >/dev/null; then found=$(openssl dgst -sha256 -r <"$got")
  else fail 'sha256sum, shasum or openssl is needed to check what was downloaded'
  fi
  [ "${found%% *}" = "$sum" ] || fail "the binary is not the one of this release, and was not installed: its SHA-256 is ${found%% *}, not $sum"

  chmod 755 "$got"
  says=$("$got" --version) || fail 'the binary of this release does not run on this machine'
  if ! { mkdir -p "$to" && cp -- "$got" "$to/.cvm-verify.$$" && mv -f -- "$to/.cvm-verify.$$" "$to/cvm-verify"; }; then
    rm -f -- "$to/.cvm-verify.$$"
    fail "$to cannot be written; say where with --to FOLDER"
  fi
  printf '%s is %s/cvm-verify\n' "$says" "$to"
  case ":$PATH:" in *":$to:"*) ;; *) printf 'Add %s to your PATH.\n' "$to" ;; esac
}

download() { # URL SIZE FILE
  if command -v curl >/dev/null; then
    code=0
    curl -q --proto =https --tlsv1.2 -fsSLg --connect-timeout 20 --max-time 300 --retry 2 --max-filesize "$2" -o "$3" --url "$1" || code=$?
    [ "$code" != 23 ] || fail 'the download cannot be written: is the disk full?'
    [ "$code" = 0 ] || fail "the download failed (curl ended with $code); try again, or use --mirror or --file"
  elif command -v wget >/dev/null; then
    wget -q --https-only -T 60 -t 3 -O "$3" -- "$1" || fail 'the download failed; try again, or use --mirror or --file'
  else
    fail 'curl or wget is needed; or download the binary yourself and use --file'
  fi
}

# At the end, so that a file that was cut off does nothing.
main "$@"
