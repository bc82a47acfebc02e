#!/usr/bin/env bash
# Seconds of a training step of a model of MiniLM's size, its batch in two parts: one process of two threads, and two MPI
# processes of one thread each, in turns. `just bench-mpi` builds the program first.
#
#     bash efficiency.sh PROGRAM [ROUNDS]
set -euo pipefail

here=$(realpath "$(dirname "$0")")
program=$(realpath "$1")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_hwloc_base_binding_policy=none
minilm=$(realpath "${BERTBENCH_MINILM:-datasets/all-MiniLM-L6-v2}")
cd "$place"
sed "s|MINILM|$minilm|" "$here/mpi-efficiency.yaml" >mpi-efficiency.yaml
for (( round = 1; round <= ${2:-3}; round++ )); do
    seed=(--set "seeds=[$round]")
    "$program" run mpi-efficiency.yaml --slots 1 --threads 2 "${seed[@]}" --set experiment=one-process >/dev/null
    mpirun -n 2 "$program" run mpi-efficiency.yaml --threads 1 "${seed[@]}" --set experiment=two-processes >/dev/null
done
python3 - <<'END'
import json, statistics
from pathlib import Path

WARM_UP = 3

def steps(experiment):
    """Seconds of a token in each step, of each round."""
    logs = sorted(Path("runs", experiment).rglob("metrics.jsonl"))
    events = [[json.loads(line) for line in log.read_text().splitlines()] for log in logs]
    return [[1 / of["tokens_per_second"] for of in log if of["event"] == "step"][WARM_UP:] for log in events]

one, two = steps("one-process"), steps("two-processes")
for name, logs in (("one process of two threads", one), ("two processes of one thread", two)):
    print(f"{name}: microseconds of a token, median of each round:", *(f"{1e6 * statistics.median(log):.1f}" for log in logs))
ratios = [statistics.median(b) / statistics.median(a) for a, b in zip(one, two)]
print("ratio of each round:", *(f"{ratio:.3f}" for ratio in ratios))
END
