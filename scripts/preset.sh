# shellcheck shell=bash
# Sourced. Files of an earlier run say `inconclusive` from the start of this one, so that a run that ends early or is
# killed never leaves an older verdict; a signed result of an earlier run is removed. The evidence stays: it is no verdict.

# The program recognises its files by the same marks (src/artifacts/earlier.rs).
# preset FOLDER: 0; 2 where a file is not one of cvm-verify's, which is not touched; 3 where one cannot be written.
preset() {
  local folder=$1 name file now part
  [[ -d $folder ]] || return 0
  for name in report.json result.env junit.xml report.txt summary.md; do
    file=$folder/$name
    [[ -s $file || -L $file ]] || [[ -e $file && ! -f $file ]] || continue # an empty file is nobody's
    [[ -f $file && ! -L $file ]] || { echo "preset: $name is not a file" >&2; return 2; }
    case $name in
      report.json) preset_has '"schema": *"cvm-verify/report/v1"' "$file" ;;
      result.env) preset_has '^CVM_VERIFY_RESULT_[A-Z_]+=' "$file" ;;
      junit.xml) preset_has '<testsuites name="cvm-verify"' "$file" ;;
      report.txt) preset_has '^Written by cvm-verify ' "$file" ;;
      summary.md) preset_has '<sub>cvm-verify ' "$file" ;;
    esac || { echo "preset: $name was not written by cvm-verify" >&2; return 2; }
  done
  # With its subject, since the next statement has another one. Other programs have files of these names, too.
  for file in "$folder"/{,*.}{statement,predicate}.json; do
    { [[ -f $file && ! -L $file ]] && preset_has '"verifier": ?\{[^}]*"id": ?"[^"]*/cvm-verify"' "$file"; } || continue
    part=${file%statement.json}app-compose.json
    [[ -f $part && ! -L $part ]] && preset_has "\"sha256\": ?\"$(preset_sha256 "$part")\"" "$file" || part=$file
    rm -f -- "$part" "$file" || return 3
  done
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ) || return 3
  for name in report.json result.env junit.xml report.txt summary.md; do
    file=$folder/$name part=$folder/.$name.$$.part
    [[ ! -e $file ]] || { preset_text "$name" "$now" >"$part" && mv -f -- "$part" "$file"; } || { rm -f -- "$part"; return 3; }
  done
}
preset_sha256() { if command -v sha256sum >/dev/null; then sha256sum -- "$1"; else shasum -a 256 -- "$1"; fi | cut -c1-64; }
preset_has() { grep -qE -- "$1" "$2"; }
preset_text() {
  local why='The run that was to write this has not ended.'
  case $1 in
    report.json)
      printf '{\n  "schema": "cvm-verify/report/v1",\n  "tool": { "name": "cvm-verify", "version": "unknown", "git": "unknown" },\n'
      printf '  "mode": "live",\n  "started_at": "%s",\n  "duration_ms": 0,\n  "verdict": "inconclusive",\n  "exit_code": 3,\n  "targets": [],\n  "alerts": []\n}\n' "$2" ;;
    result.env) printf 'CVM_VERIFY_RESULT_%s\n' VERDICT=inconclusive ASSURANCE=none EXIT_CODE=3 ;;
    junit.xml)
      printf '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="cvm-verify" tests="1" failures="0" errors="1" time="0.000">\n  <testsuite name="cvm-verify" tests="1" failures="0" errors="1" skipped="0" time="0.000">\n'
      printf '    <testcase name="verdict" classname="cvm-verify" time="0.000"><error message="INCONCLUSIVE: %s"/></testcase>\n  </testsuite>\n</testsuites>\n' "$why" ;;
    report.txt) printf 'INCONCLUSIVE: nothing was verified. %s\n\nWritten by cvm-verify before its run.\n' "$why" ;;
    summary.md) printf '### ❓ INCONCLUSIVE: nothing was verified. %s\n\n<sub>cvm-verify wrote this before its run.</sub>\n' "$why" ;;
  esac
}
