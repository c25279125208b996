# shellcheck shell=bash disable=SC2154 # Assigned by the runner, or by the step's `env:` in action.yml.
# Becomes the program, which inherits the action's inputs and the runner's own variables, nothing else. The others
# are taken away by name: an argument list, as of `env -i`, is public on the machine, and some inputs are secrets.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:/mingw64/bin; set -euo pipefail; exec 2>&1; set -f; IFS=$'\r\n'
for secret in $SECRETS; do echo "::add-mask::${secret//%/%25}"; done
arguments=(verify); [[ ! $CVM_VERIFY_REPORT ]] || arguments=(merge); for line in $CVM_VERIFY_EXTRA_ARGS; do arguments+=("$line"); done
[[ $CVM_VERIFY_OUTPUT_DIR ]] || CVM_VERIFY_OUTPUT_DIR=$(mktemp -d "$RUNNER_TEMP/cvm-verify.XXXXXXXX")
keep=" $(sed -n '/id: verify$/,$ s/^ *\(CVM_VERIFY_[A-Z_]*\):.*/\1 /p' "$GITHUB_ACTION_PATH/action.yml") $INHERITED " clean=()
while IFS= read -rd '' each; do [[ ${keep//$'\n'/ } == *" ${each%%=*} "* ]] || clean+=(-u "${each%%=*}"); done < <(env -0)
exec env "${clean[@]:?}" "$PROGRAM" "${arguments[@]}"
