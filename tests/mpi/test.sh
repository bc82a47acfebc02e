#!/usr/bin/env bash
# Data-parallel training with real MPI processes on this machine: 1, 2, 3 and 4 ranks pretrain and fine-tune small models
# in both precisions, ranks are killed, and a run goes on with other numbers of ranks. Models, predictions and results
# must be those of one process, bit for bit. `just test-mpi` builds the program first, with the feature `mpi`.
#
#     bash test.sh PROGRAM
set -euo pipefail

here=$(realpath "$(dirname "$0")")
program=$(realpath "$1")
command -v mpirun >/dev/null || { echo "missing: mpirun; on Debian: apt-get install openmpi-bin libopenmpi-dev" >&2; exit 2; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
# shellcheck source=tests/expect.sh
source "$here/../expect.sh"

# More ranks than cores, and as root where this is root.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# Prints the command's output only when it fails.
quiet() { "$@" >"$place/output" 2>&1 || { cat "$place/output"; return 1; }; }

# start N FILE OPTION…: a sweep by N ranks in the folder $here is in; odd numbers of them exchange gradients during backward
# passes, as on several machines, even ones after them.
start() {
    local ranks=$1 file=$2
    shift 2
    if (( ranks == 1 )); then "$program" run "$file" --slots 1 --threads 1 "$@"
    else BERTBENCH_OVERLAP=$((ranks % 2)) mpirun -n "$ranks" "$program" run "$file" --threads 1 "$@"
    fi
}

# A folder with the experiments and with text that is prepared once for all.
folder() {
    mkdir -p "$place/$1/runs"
    cp "$here"/*.yaml "$place/$1"
    if [[ -d $place/1/runs/.corpora ]]; then cp -r "$place/1/runs/.corpora" "$place/$1/runs"; fi
    cd "$place/$1"
}

same() { python3 "$here/../slurm/same.py" "$1" "$place/$2" "$place/$3"; }

suffixes=('')
if grep --quiet --extended-regexp 'avx512_bf16|amx_bf16' /proc/cpuinfo; then suffixes+=(-bf16); fi
for ranks in 1 2 3 4; do
    folder $ranks
    for suffix in "${suffixes[@]}"; do
        for name in mpi-pretrain mpi-finetune; do
            if [[ -n $suffix ]]; then
                sed "s/mpi-pretrain\|mpi-finetune/&$suffix/; s/^training:/&\n  precision: bf16/" $name.yaml >$name$suffix.yaml
            fi
            quiet start $ranks $name$suffix.yaml
            quiet "$program" report $name$suffix.yaml
            if (( ranks > 1 )); then expect "$name$suffix on $ranks ranks: the bits of one process" same $name$suffix 1 $ranks; fi
        done
    done
done

echo "ranks that die"
long=(--set 'pretrain.phases=[{max_length: 32, steps: 400}]' --set pretrain.eval_steps=400)
checkpoints() { find runs/mpi-pretrain -name 'step-*' -path '*checkpoints*' 2>/dev/null | sort | tail -n 1; }
# Starts N ranks, kills the one that the command prints the process of when there is another checkpoint, and waits.
killed() { # N COMMAND…
    local ranks=$1 before deadline of
    before=$(checkpoints)
    start "$ranks" mpi-pretrain.yaml "${long[@]}" >killed.txt 2>&1 &
    of=$!
    shift
    deadline=$((SECONDS + 120))
    until [[ $(checkpoints) != "$before" ]]; do
        (( SECONDS < deadline )) || { cat killed.txt; return 1; }
        sleep 0.2
    done
    kill -KILL "$("$@" $of)"
    deadline=$((SECONDS + 30))
    while kill -0 $of 2>/dev/null; do
        (( SECONDS < deadline )) || { echo "mpirun goes on"; return 1; }
        sleep 0.2
    done
    ! wait $of
}
# The shell that runs `start` has mpirun as its child, and that the ranks.
rank() { pgrep --parent "$(pgrep --parent "$2")" | sort --numeric-sort | sed -n "$(($1 + 1))p"; }
worker() { pgrep --parent "$(rank 0 "$1")"; }
nobody_left() { sleep 2; ! pgrep --full "^$program (run|worker)" >/dev/null; }
folder one-process
quiet start 1 mpi-pretrain.yaml "${long[@]}"
quiet "$program" report mpi-pretrain.yaml "${long[@]}"
folder killed
expect "rank 2 of 3 is killed, and all end" killed 3 rank 2
expect "no process is left" nobody_left
expect "nothing is recorded" test -z "$(find runs/mpi-pretrain -name record.json -o -name failure.json)"
expect "the worker of rank 0 of 4 is killed, and all end" killed 4 worker
expect "no process is left" nobody_left
expect "nothing is recorded" test -z "$(find runs/mpi-pretrain -name record.json -o -name failure.json)"
echo "resumed by 2 ranks"
quiet start 2 mpi-pretrain.yaml "${long[@]}"
quiet "$program" report mpi-pretrain.yaml "${long[@]}"
expect "it went on from a checkpoint" grep --quiet --recursive "resumed from the checkpoint" runs --include=record.json
expect "the bits of one process" same mpi-pretrain one-process killed

echo "what cannot be shared"
status=0
start 5 mpi-pretrain.yaml --set experiment=other >refused.txt 2>&1 || status=$?
expect "a batch of four parts is not for 5 ranks" grep --quiet "5 processes cannot share the run" refused.txt
expect "and it ends" test $status -ne 0
expect "nothing is left to do, and all ranks end" quiet start 2 mpi-pretrain.yaml "${long[@]}"

echo "MPI: $passed passed, $failed failed"
test "$failed" -eq 0
