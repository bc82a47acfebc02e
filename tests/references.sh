#!/usr/bin/env bash
# Prints a Python interpreter that has the reference implementations (tests/golden/requirements.txt), and
# installs them first where they are not there yet: under target/parity, about 7 GB. Needs python3 with venv,
# and PyPI or a mirror of it. BERTBENCH_PARITY_PYTHON names an interpreter that has them already.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=tests/golden/requirements.txt
work=${CARGO_TARGET_DIR:-target}/parity
mkdir -p "$work"
work=$(cd "$work" && pwd)
if [[ -n ${BERTBENCH_PARITY_PYTHON:-} ]]; then
    echo "$BERTBENCH_PARITY_PYTHON"
    exit
fi
if ! cmp -s "$requirements" "$work/installed.txt"; then
    printf '\n== installing the reference implementations\n' >&2
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --requirement "$requirements" >&2
    cp "$requirements" "$work/installed.txt"
fi
echo "$work/venv/bin/python"
