# shellcheck shell=bash disable=SC2154 # Assigned by the runner, or by the step's `env:` in action.yml.
# Puts the program into a fresh folder and names it in the output `program`. Its hash is checked before it runs, and
# no failure falls back to another way. What earlier steps left in the environment is not passed on.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:/mingw64/bin; set -euo pipefail; exec 2>&1
fail() { echo "::error title=cvm-verify could not be installed::$1"; echo "**INCONCLUSIVE** $1" >>"$GITHUB_STEP_SUMMARY"; exit 3; }
keep=' PATH HTTPS_PROXY HOME CARGO_HOME RUSTUP_HOME TMPDIR TMP TEMP USERPROFILE ' clean=()
while IFS= read -rd '' each; do [[ $keep == *" ${each%%=*} "* ]] || clean+=(-u "${each%%=*}"); done < <(env -0)
program=$(mktemp -d "$RUNNER_TEMP/cvm-verify.XXXXXXXX")/cvm-verify; [[ $RUNNER_OS != Windows ]] || program+=.exe

# What the manifest says about this platform: one line, its members in this order (scripts/release/manifest writes it).
shopt -s nocasematch; arch=${RUNNER_ARCH/#X64/x86_64} arch=${arch/#ARM64/aarch64}
entry='"base_url": *"(https://[^"]+)".*'"\"os\": *\"$RUNNER_OS\", *\"arch\": *\"$arch\", *"
entry+='"file": *"([a-z0-9._-]+)", *"size": *([0-9]+), *"sha256": *"([0-9a-f]{64})"'
if [[ $(<"$GITHUB_ACTION_PATH/dist/manifest.json") =~ $entry ]]; then binary=("${BASH_REMATCH[@]}"); else binary=(); fi
how=${CVM_VERIFY_INSTALL:-auto} given=$CVM_VERIFY_BINARY_PATH$CVM_VERIFY_MIRROR
[[ $how =~ ^(auto|download)$ || $how$given == source ]] ||
  fail 'The input install must be auto, download, or, without binary-path and mirror, source.'

if [[ $how == source || ($how == auto && ${#binary[@]} -eq 0 && -z $given) ]]; then
  cargo=${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo; [[ $cargo =~ ^(/|[a-z]:) && -x $cargo ]] || cargo=/usr/bin/cargo
  cd "$GITHUB_ACTION_PATH"
  env "${clean[@]:?}" "$cargo" build --release --locked --bin cvm-verify --target-dir "${program%/*}" ||
    fail 'It could not be built from source, see the log. Is Rust there? Install it in an earlier step: https://rustup.rs'
  program=${program%/*}/release/${program##*/}
else
  [[ ${#binary[@]} -gt 0 ]] || fail "This version names no binary for $RUNNER_OS $RUNNER_ARCH. Use install: source alone."
  if [[ $CVM_VERIFY_BINARY_PATH ]]; then
    cp -- "$CVM_VERIFY_BINARY_PATH" "$program" || fail 'The file that the input binary-path names cannot be read.'
  else
    env "${clean[@]:?}" curl -q --proto =https -fsSLg -m 120 --connect-timeout 20 --retry 2 --max-filesize "${binary[3]}" \
      -o "$program" --url "${CVM_VERIFY_MIRROR:-${binary[1]}}/${binary[2]}" ||
      fail 'The download failed, see the log. Run the job again, or (no curl?) use binary-path, mirror or install: source.'
  fi
  for tool in sha256sum 'shasum -a 256' 'openssl dgst -sha256 -r'; do ! command -v "${tool%% *}" >/dev/null || break; done
  sum=$($tool <"$program") size=$(wc -c <"$program"); chmod 700 "$program"
  [[ ${sum%% *} == "${binary[4]}" && $((size)) == "${binary[3]}" ]] ||
    fail "The binary is not the one that this version names, and was not run: its SHA-256 is not ${binary[4]}."
fi
echo "program=$program" >>"$GITHUB_OUTPUT"
