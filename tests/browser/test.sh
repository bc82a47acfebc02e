#!/usr/bin/env bash
# Opens the reports of invented runs in chromium (tests/browser/check.py), and the pages of `bertbench serve` and
# `bertbench report --watch` while a sweep runs (tests/browser/live.py).
#
#     bash tests/browser/test.sh [FOLDER OF SCREENSHOTS]
#
# Needs chromium (Debian's package; CHROMIUM names another program) and python3 3.11 with venv; playwright and axe-core
# come from PyPI at the versions and checksums of tests/browser/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
chromium=${CHROMIUM:-$(command -v chromium || true)}
if [[ -z $chromium ]]; then
    echo 'chromium is not there: `apt-get install chromium`, or CHROMIUM=/path/to/it' >&2
    exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
BERTBENCH_REPORT_SAMPLES=$work/reports cargo test --release --locked --test integration -- \
    --exact report::layout_samples_on_request
venv=${CARGO_TARGET_DIR:-target}/browser
if [[ ! -e $venv/installed ]] || ! cmp -s tests/browser/requirements.txt "$venv/installed"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --require-hashes --requirement tests/browser/requirements.txt
    cp tests/browser/requirements.txt "$venv/installed"
fi
cargo build --release --locked
ended=0
"$venv/bin/python" tests/browser/check.py "$work/reports" --chromium "$chromium" ${1:+--screenshots "$1"} || ended=1
"$venv/bin/python" tests/browser/live.py "${CARGO_TARGET_DIR:-target}/release/bertbench" --chromium "$chromium" \
    ${1:+--screenshots "$1"} || ended=1
exit "$ended"
