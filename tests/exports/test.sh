#!/usr/bin/env bash
# Exports a small sweep to the real TensorBoard and to a real MLflow server, and asks both what they have.
#
#     bash tests/exports/test.sh [BERTBENCH]
#
# Needs python3 with venv; installs tests/exports/requirements.txt from PyPI into a temporary folder (about 1 GB), or
# takes the environment that BERTBENCH_EXPORTS_VENV names. The server listens on 127.0.0.1 alone, with SQLite.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/exports
bertbench=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/release/bertbench}")
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
venv=${BERTBENCH_EXPORTS_VENV:-}
if [[ -z $venv ]]; then
    command -v python3 >/dev/null || { echo 'python3 is not there (and its module venv is needed)' >&2; exit 2; }
    venv=$work/venv
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
cd "$work"
cat > exported.yaml <<'YAML'
experiment: exported
mini: {seed: 1}
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
  deeper: {architecture: {layers: 2, hidden: 16, heads: 2, max_positions: 64}}
tasks: [cola, rte]
sweep: {batch_size: [16], learning_rate: [1e-3, 1e-4, 0.9], epochs: [2]}
seeds: [1]
training: {max_length: 32, weight_decay: 100}
device: cpu
YAML
# The rate 0.9 with this decay multiplies weights by -89 at each step and diverges: failed runs are exported too. At first a part, then the rest.
"$bertbench" run exported.yaml --only task=rte || true
port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
uri=http://127.0.0.1:$port
"$bertbench" export mlflow exported.yaml --tracking-uri "$uri" 2>refused.txt && { echo 'no server, and no error' >&2; exit 1; }
grep -q "$uri" refused.txt
"$venv/bin/mlflow" server --host 127.0.0.1 --port "$port" --workers 1 --backend-store-uri "sqlite:///$work/mlflow.db" \
    --artifacts-destination "$work/artifacts" >mlflow.log 2>&1 &
server=$!
for _ in $(seq 240); do
    "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('$uri/health', timeout=2)" 2>/dev/null && break
    kill -0 "$server" || { cat mlflow.log >&2; exit 1; }
    sleep 0.5
done
"$bertbench" export mlflow exported.yaml --tracking-uri "$uri" | tee first.txt
"$bertbench" run exported.yaml || true
"$bertbench" export mlflow exported.yaml --tracking-uri "$uri" | tee second.txt
# In the middle of an export the program dies; the next one makes it whole.
"$bertbench" run exported.yaml --set 'seeds=[1,2]' || true
"$bertbench" export mlflow exported.yaml --set 'seeds=[1,2]' --tracking-uri "$uri" &
killed=$!
sleep 0.4
kill -9 "$killed" 2>/dev/null || true
wait "$killed" || true
"$bertbench" export mlflow exported.yaml --set 'seeds=[1,2]' --tracking-uri "$uri" | tee third.txt
"$bertbench" export mlflow exported.yaml --set 'seeds=[1,2]' --tracking-uri "$uri" | tee again.txt
grep -q ': 0 runs sent, 24 there before' again.txt
"$bertbench" report exported.yaml --set 'seeds=[1,2]'
"$venv/bin/python" "$here/check_mlflow.py" "$uri" exported reports/exported/results.json
"$bertbench" export tensorboard exported.yaml --set 'seeds=[1,2]'
"$venv/bin/python" "$here/check_tensorboard.py" reports/exported/tensorboard reports/exported/results.json
