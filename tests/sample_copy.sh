# Sourced by the samples: a copy of the repository, what a sample touches in it, and whether it compiles.
# shellcheck shell=bash

cd "$(dirname "$0")/../.."
root=$PWD
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# shellcheck disable=SC2016 # The inner shell expands it.
git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\0" "$file"; done' sh |
  tar --null --files-from=- --create | tar --extract --directory "$copy"
cd "$copy"
git init --quiet
git add --all
git -c user.name=sample -c user.email=sample@localhost commit --quiet --message before

# touches WHAT FILE=LINES…: nothing else changed, and in each file so many lines were added.
touches() {
  local what=$1 wanted
  shift
  git add --all
  wanted=$(for one; do printf '%s\t0\t%s\n' "${one#*=}" "${one%%=*}"; done | sort -k3)
  if [ "$(git diff --cached --numstat | sort -k3)" != "$wanted" ]; then
    printf '%s touches more, or the lists were not found:\n' "$what" >&2
    git diff --cached --numstat >&2
    exit 1
  fi
}

lines() {
  wc -l <"$1" | tr -d ' '
}

compiles() {
  CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}" cargo check --quiet --locked "$@"
}
