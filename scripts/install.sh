# shellcheck shell=bash disable=SC2154 # Assigned by the runner, or by the step's `env:` in action.yml.
# Puts the program into a fresh folder and names it in the output `program`. Its hash is checked before it runs, and
# no failure falls back to another way. What earlier steps left in the environment is not passed on, but for where Rust is.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:/mingw64/bin; set -euo pipefail; exec 2>&1
# Git Bash on Windows rewrites variables and arguments that look like paths, unless it is told not to.
export MSYS2_ARG_CONV_EXCL='*' MSYS2_ENV_CONV_EXCL='*'
# shellcheck source=scripts/outcome.sh
source "$GITHUB_ACTION_PATH/scripts/outcome.sh"
# shellcheck source=scripts/preset.sh
source "$GITHUB_ACTION_PATH/scripts/preset.sh"
title='cvm-verify could not be installed'
full='Is the disk of the runner full?'

[[ ${CVM_VERIFY_MODE:-verify} =~ ^(verify|plan|alert-test)$ ]] || fail 2 'The input mode must be verify, plan or alert-test.'
# Before anything can go wrong: an older verdict in the output folder is none of this run.
if [[ ${CVM_VERIFY_OUTPUT_DIR:-} && ${CVM_VERIFY_MODE:-verify} == verify ]]; then
  folder=$(trimmed "$CVM_VERIFY_OUTPUT_DIR") folder=${folder%.}
  while IFS=$'\r' read -r line; do
    [[ ! $line || ! $line -ef $folder/report.json ]] ||
      fail 2 'The input report names the file that this run writes into output-dir. Use another folder.'
  done <<<"${CVM_VERIFY_REPORT:-}"
  code=0; preset "$folder" || code=$?
  [[ $code != 2 ]] || fail 2 'The folder output-dir has a file of a name that cvm-verify writes, and which it did not write. Nothing was touched. Use another folder, or remove the file.'
  [[ $code == 0 ]] || fail "A file of an earlier run in output-dir cannot be replaced. $full"
fi

program=$(mktemp -d "$RUNNER_TEMP/cvm-verify.XXXXXXXX")/cvm-verify || fail "No folder can be made in RUNNER_TEMP. $full"
[[ $RUNNER_OS != Windows ]] || program+=.exe
keep=' PATH HTTPS_PROXY HOME CARGO_HOME RUSTUP_HOME TMPDIR TMP TEMP USERPROFILE MSYS2_ARG_CONV_EXCL MSYS2_ENV_CONV_EXCL ' clean=()
while IFS= read -rd '' each; do [[ $keep == *" ${each%%=*} "* ]] || clean+=(-u "${each%%=*}"); done < <(env -0)

# What the manifest says about this platform: one line, its members in this order (scripts/release/manifest writes it).
manifest=$GITHUB_ACTION_PATH/dist/manifest.json
[[ -f $manifest && -r $manifest ]] || fail 'dist/manifest.json is not in the action: its files are not complete. Is the checkout of the action complete?'
shopt -s nocasematch; arch=${RUNNER_ARCH/#X64/x86_64} arch=${arch/#ARM64/aarch64}
entry='"base_url": *"(https://[^"]+)".*'"\"os\": *\"$RUNNER_OS\", *\"arch\": *\"$arch\", *"
entry+='"file": *"([a-z0-9._-]+)", *"size": *([0-9]+), *"sha256": *"([0-9a-f]{64})"'
if [[ $(<"$manifest") =~ $entry ]]; then binary=("${BASH_REMATCH[@]}"); else binary=(); fi
given_path=$(trimmed "$CVM_VERIFY_BINARY_PATH") given_path=${given_path%.}
mirror=$(trimmed "$CVM_VERIFY_MIRROR") mirror=${mirror%.}
while [[ $mirror == */ ]]; do mirror=${mirror%/}; done
how=${CVM_VERIFY_INSTALL:-auto} given=$given_path$mirror
[[ $how =~ ^(auto|download)$ || $how$given == source ]] ||
  fail 2 'The input install must be auto, download, or, without binary-path and mirror, source.'

if [[ $how == source || ($how == auto && ${#binary[@]} -eq 0 && -z $given) ]]; then
  why="this commit of the action names no binary for $RUNNER_OS $RUNNER_ARCH"
  [[ $how != source ]] || why='the input install says source'
  echo "::notice title=cvm-verify is built from source::Because $why. That needs Rust 1.90 or later, a C compiler and crates.io, takes about 5 minutes on 2 cores, and is done again in every run. The commit of a release names a binary instead."
  cargo=${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo; [[ $cargo =~ ^(/|[a-z]:) && -x $cargo ]] || cargo=/usr/bin/cargo
  [[ -x $cargo ]] || fail 'It is to be built from source, and Rust is not there. Install it in an earlier step (https://rustup.rs), or name the commit of a release.'
  cd "$GITHUB_ACTION_PATH"
  env "${clean[@]:?}" "$cargo" build --release --locked --bin cvm-verify --target-dir "${program%/*}" ||
    fail 'It could not be built from source, see the log. It needs Rust 1.90 or later and a C compiler.'
  program=${program%/*}/release/${program##*/}
else
  [[ ${#binary[@]} -gt 0 ]] || fail "This version names no binary for $RUNNER_OS $RUNNER_ARCH. Use install: source alone."
  for tool in sha256sum 'shasum -a 256' 'openssl dgst -sha256 -r'; do ! command -v "${tool%% *}" >/dev/null || break; done
  # Whether a file is the one that the manifest names.
  is_named() {
    local sum size
    # shellcheck disable=SC2086 # a program and its options
    sum=$(env "${clean[@]:?}" $tool <"$1") && size=$(wc -c <"$1") && [[ ${sum%% *} == "${binary[4]}" && $((size)) == "${binary[3]}" ]]
  }
  cached=
  if [[ $given_path ]]; then
    [[ -f $given_path && -r $given_path ]] || fail 'The file that the input binary-path names cannot be read.'
    cp -- "$given_path" "$program" || fail "The file that the input binary-path names cannot be copied to RUNNER_TEMP. $full"
  else
    # What an earlier run on this machine downloaded. It is copied first and checked like any other.
    [[ ! ${RUNNER_TOOL_CACHE:-} ]] || cached=$RUNNER_TOOL_CACHE/cvm-verify/${binary[4]}/${binary[2]}
    if [[ $cached && -f $cached ]] && cp -- "$cached" "$program" && is_named "$program"; then
      cached=
    else
      code=0
      env "${clean[@]:?}" curl -q --proto =https -fsSLg -m 120 --connect-timeout 20 --retry 2 --max-filesize "${binary[3]}" \
        -o "$program" --url "${mirror:-${binary[1]}}/${binary[2]}" || code=$?
      [[ $code != 23 ]] || fail "The download cannot be written to RUNNER_TEMP. $full"
      [[ $code == 0 ]] ||
        fail 'The download failed, see the log. Run the job again, or (no curl?) use binary-path, mirror or install: source.'
    fi
  fi
  is_named "$program" ||
    fail "The binary is not the one that this version names, and was not run: its SHA-256 is not ${binary[4]}."
  chmod 700 "$program"
  [[ ! $cached ]] || { mkdir -p "${cached%/*}" && cp -- "$program" "$cached.$$" && mv -f -- "$cached.$$" "$cached"; } ||
    echo 'The download is not kept in the tool cache: it cannot be written.'
fi
{ echo "program=$program" >>"$GITHUB_OUTPUT"; } || fail "GITHUB_OUTPUT cannot be written. $full"
