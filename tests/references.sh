#!/usr/bin/env bash
# Prints a Python interpreter that has the packages of a requirements file (the reference implementations of
# tests/golden by default), and installs them first where they are not there yet: under target/parity, about 7 GB.
#
#     bash tests/references.sh [REQUIREMENTS]
#
# Needs python3 with venv, and PyPI or a mirror of it. BERTBENCH_PARITY_PYTHON names an interpreter that has them already.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=${1:-tests/golden/requirements.txt}
work=${CARGO_TARGET_DIR:-target}/parity
mkdir -p "$work"
work=$(cd "$work" && pwd)
if [[ -n ${BERTBENCH_PARITY_PYTHON:-} ]]; then
    echo "$BERTBENCH_PARITY_PYTHON"
    exit
fi
# A file may include tests/peers/requirements.txt.
asked=$(cat "$requirements" tests/peers/requirements.txt)
installed=$work/installed-${requirements//\//-}
if [[ ! -e $installed || $asked != "$(cat "$installed")" ]]; then
    printf '\n== installing %s\n' "$requirements" >&2
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --requirement "$requirements" >&2
    printf '%s' "$asked" > "$installed"
fi
echo "$work/venv/bin/python"
