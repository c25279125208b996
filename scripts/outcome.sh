# shellcheck shell=bash disable=SC2154 # Assigned by the runner.
# Sourced by the action's scripts. Whatever ends them is an annotation, a line of the job summary and exit code 3
# (inconclusive), or 2 where an input cannot be right: a full disk, an unwritable file or a tool that is missing, too.
title='cvm-verify' word=INCONCLUSIVE said=
# fail [CODE] MESSAGE: ends the step. The message is of our own words: nothing of an input stands in it.
fail() {
  local code=3
  [[ $# == 1 ]] || { code=$1; shift; }
  said=1
  echo "::error title=$title::$1"
  [[ $code != 2 ]] || { echo "exit-code=$code" >>"$GITHUB_OUTPUT"; } 2>/dev/null || true
  { echo "**$word** $1" >>"$GITHUB_STEP_SUMMARY"; } 2>/dev/null ||
    echo '::warning title=cvm-verify::The job summary cannot be written. Is the disk of the runner full?'
  exit "$code"
}
ended() {
  local code=$1
  [[ $code == 0 || $said ]] ||
    fail "A command ended with $code, see the log above. Is the disk of the runner full, or a tool missing?"
}
trap 'ended $?' EXIT
# Inputs of several lines in YAML end with a line feed that is not part of a path or an address.
trimmed() {
  local text=$1
  while [[ $text == *[$'\r\n'] ]]; do text=${text%?}; done
  printf '%s.' "$text"
}
