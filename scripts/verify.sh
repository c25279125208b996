# shellcheck shell=bash disable=SC2154 # Assigned by the runner, or by the step's `env:` in action.yml.
# Becomes the program, which inherits the action's inputs and the runner's own variables, nothing else. The others
# are taken away by name: an argument list, as of `env -i`, is public on the machine, and some inputs are secrets.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:/mingw64/bin; set -euo pipefail; exec 2>&1; set -f; IFS=$'\r\n'
# Git Bash on Windows rewrites variables and arguments that look like paths, unless it is told not to.
export MSYS2_ARG_CONV_EXCL='*' MSYS2_ENV_CONV_EXCL='*'
# shellcheck disable=SC2086 # One a line, which is what IFS splits.
for secret in $SECRETS; do [[ $secret == '(not given)' ]] || echo "::add-mask::${secret//%/%25}"; done
# A channel that is not given is unset. One that is given and empty stays, so that the program can say so.
for name in "${!CVM_VERIFY_@}"; do [[ ${!name} != '(not given)' ]] || unset "$name"; done
for line in $CVM_VERIFY_CHANNEL_SECRETS; do
  value=${line#*=}; [[ ! $value ]] || echo "::add-mask::${value//%/%25}"
done
# A password alone must not be shown, either: REGISTRY USERNAME:PASSWORD [TOKEN-SERVICE].
while IFS=$' \t\r' read -r _ value _; do value=${value#*:}; [[ ! $value ]] || echo "::add-mask::${value//%/%25}"; done <<< "$CVM_VERIFY_REGISTRY_CREDENTIALS"
# shellcheck source=scripts/outcome.sh
source "$GITHUB_ACTION_PATH/scripts/outcome.sh"

keep=" $(sed -n '/id: verify$/,$ s/^ *\(CVM_VERIFY_[A-Z_]*\):.*/\1 /p' "$GITHUB_ACTION_PATH/action.yml") $INHERITED MSYS2_ARG_CONV_EXCL MSYS2_ENV_CONV_EXCL "
keep=${keep//$'\n'/ }
# Variables of the policy file's own, `…-env`. They must be none that this step already has a meaning for. The program gets
# their names, and refuses those of its options.
number=0 names=
for line in $CVM_VERIFY_CHANNEL_SECRETS; do
  number=$((number + 1)) name=${line%%=*}
  while [[ $name == [' '$'\t']* ]]; do name=${name#?}; done
  [[ $line == *=* && $name =~ ^CVM_VERIFY_[A-Z0-9_]+$ && $keep != *" $name "* ]] ||
    fail 2 "Entry $number of the input channel-secrets is not NAME=value with a NAME that begins with CVM_VERIFY_ and belongs to no input, as a key …-env of the policy file names it."
  export "$name=${line#*=}"
  keep+="$name " names+="$name "
done
CVM_VERIFY_CHANNEL_SECRETS=$names keep=${keep/ CVM_VERIFY_MODE / }

arguments=() folder=$(trimmed "$CVM_VERIFY_OUTPUT_DIR") CVM_VERIFY_OUTPUT_DIR=${folder%.}
for line in $CVM_VERIFY_EXTRA_ARGS; do arguments+=("$line"); done
[[ $CVM_VERIFY_OUTPUT_DIR ]] || CVM_VERIFY_OUTPUT_DIR=$(mktemp -d "$RUNNER_TEMP/cvm-verify.XXXXXXXX") ||
  fail 'No folder can be made in RUNNER_TEMP. Is the disk of the runner full?'
clean=()
while IFS= read -rd '' each; do [[ $keep == *" ${each%%=*} "* ]] || clean+=(-u "${each%%=*}"); done < <(env -0)

case ${CVM_VERIFY_MODE:-verify} in
  verify)
    command=verify; [[ ! $CVM_VERIFY_REPORT ]] || command=merge
    exec env "${clean[@]:?}" "$PROGRAM" "$command" ${arguments[@]+"${arguments[@]}"} ;;
  plan)
    exec env "${clean[@]:?}" "$PROGRAM" plan ${arguments[@]+"${arguments[@]}"} ;;
  alert-test)
    title='cvm-verify%3A a test of the alert channels' word='ALERT TEST FAILED' code=0 status=delivered
    env "${clean[@]:?}" "$PROGRAM" alert test ${arguments[@]+"${arguments[@]}"} || code=$?
    [[ $code == 0 ]] || status=failed
    { echo "alert-status=$status" >>"$GITHUB_OUTPUT"; } || fail 'GITHUB_OUTPUT cannot be written. Is the disk of the runner full?'
    [[ $code != 2 ]] || fail 2 'The test could not begin, see the log. Is the secret of a channel set, and its name spelt right?'
    [[ $code == 0 ]] || fail "$code" 'A channel did not accept the test, see the log: it names each with what it answered.' ;;
esac
