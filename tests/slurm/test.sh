#!/usr/bin/env bash
# `bertbench submit` with real Slurm daemons: two nodes on this machine. A part of the mini experiment, with the
# pretraining that it starts from, is sent, and while it runs array tasks are killed, queued again, pre-empted and run
# out of time, a node fails and a node is drained. The report must be that of a local sweep. `just test-slurm` builds the
# program first.
#
#     bash test.sh PROGRAM [N]        a quarter of an hour, most of it computing; with N, for programs that were built
#                                     without optimisation, the models are pretrained for an Nth of the steps
set -euo pipefail

here=$(realpath "$(dirname "$0")")
program=$(realpath "$1")
place=$(mktemp -d)
cluster=$place/slurm
# shellcheck source=tests/expect.sh
source "$here/../expect.sh"
# shellcheck source=tests/slurm/cluster.sh
source "$here/cluster.sh"
trap 'stop_cluster; rm -rf "$place"' EXIT

part=(--only task=cola,task=stsb,batch_size=32,epochs=3,learning_rate=1e-3,learning_rate=5e-4)

until_true() { # SECONDS WHAT COMMAND…
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        if (( SECONDS > deadline )); then
            echo "after a long time, not yet: $what"
            squeue --array || true
            return 1
        fi
        sleep 0.5
    done
}

# The state of array task JOB_N, and the node of one that runs.
task_state() { squeue --noheader --array --states=all --job="${1%_*}" --format='%F_%K %T' | sed -n "s/^$1 //p"; }
task_node() { squeue --noheader --array --job="${1%_*}" --format='%F_%K %N' | sed -n "s/^$1 //p"; }
is_running() { [[ $(task_state "$1") == RUNNING ]]; }
has_stopped() { ! is_running "$1"; }
is_empty() { [[ -z $(squeue --noheader --nodelist="$1" --states=RUNNING,COMPLETING) ]]; }
# The process of bertbench in an array task of the job.
process() { pgrep --full "^$program run runs/$1/.slurm" | head -n 1; }
is_training() { local of; of=$(process "$1") && pgrep --parent "$of" >/dev/null; }
logged() { grep --quiet --fixed-strings -- "$2" runs/"$1"/.slurm/*/*.log; }
is_said() { "$program" status experiments/mini-pretrain.yaml >status.txt && holds "$1" status.txt; }
queue_is_empty() { [[ -z $(squeue --noheader) ]]; }
job_of() { cat "runs/$1/.slurm/$2.job"; }

install_slurm
start_cluster
echo "in $place with $program"
mkdir "$place/local" "$place/cluster"
cp -r "$here/../../experiments" "$place/local"
shorten() { awk -v by="${1:-1}" '{ while (match($0, /steps: [0-9]+/)) { n = substr($0, RSTART + 7, RLENGTH - 7)
    printf "%ssteps: %d", substr($0, 1, RSTART - 1), n / by; $0 = substr($0, RSTART + RLENGTH) } print }'; }
shorten "${2:-1}" <"$here/../../experiments/mini-pretrain.yaml" >"$place/local/experiments/mini-pretrain.yaml"
cp -r "$place/local/experiments" "$place/cluster"

echo "a local sweep, to compare with"
cd "$place/local"
"$program" run experiments/mini.yaml "${part[@]}"
"$program" report experiments/mini.yaml

cd "$place/cluster"
echo "sixteen array tasks and two local processes on one folder"
try=(experiments/try.yaml --set 'seeds=[1,2,3,4]')
"$program" submit "${try[@]}" --minutes-per-task 0 --time 10
"$program" run "${try[@]}" --slots 1 >first.txt 2>&1 &
"$program" run "${try[@]}" --slots 1 >second.txt 2>&1 &
wait -n && wait -n
until_true 300 "the queue is empty" queue_is_empty
done_now() { echo $(( $(sed -n 's/^try: \([0-9]*\) done now.*/\1/p' "$@" | paste -sd+) )); }
expect "every run was done once" test "$(done_now first.txt second.txt runs/try/.slurm/1/*.log)" -eq 16
expect "and has a record" test "$(find runs/try -name record.json | wc -l)" -eq 16
grep --no-filename 'done now' first.txt second.txt

echo "the mini experiment: pretraining"
"$program" submit experiments/mini.yaml "${part[@]}" --minutes-per-task 0 --time 3
pretraining=$(job_of mini-pretrain 1/pretraining-1)
until_true 60 "both pretrainings run" is_running "${pretraining}_2"
until_true 60 "they train" is_training mini-pretrain
sleep 10
"$program" status experiments/mini-pretrain.yaml | tee status.txt
expect "status names the nodes" holds "array task ${pretraining}_1, since" status.txt
"$program" status experiments/mini.yaml | tee status.txt
expect "status says what waits for the pretraining" holds "Dependency" status.txt
# Held, for it might run again before the other one has stopped.
scontrol requeuehold "${pretraining}_1"
until_true 60 "status knows what was interrupted" is_said "1 pre-empted" || true
node=$(task_node "${pretraining}_2")
scontrol update "nodename=$node" state=down reason=test
expect "status knows what was interrupted" until_true 60 "both have stopped" is_said "2 pre-empted"
tail -n 4 status.txt
scontrol release "${pretraining}_1"
# It may have come back by itself (ReturnToService=2).
scontrol update "nodename=$node" state=resume || true
until_true 120 "both run again" is_running "${pretraining}_2"
until_true 120 "both run again" is_running "${pretraining}_1"
echo "a job of a higher partition"
sbatch --parsable --partition=high --exclusive --nodes=2 --output=/dev/null --wrap 'sleep 5'
until_true 60 "it has taken the nodes" has_stopped "${pretraining}_1"
until_true 900 "a task has run out of time" logged mini-pretrain "interrupted"

echo "the runs that follow: kill, drain"
until_true 1800 "the pretraining is done" is_training mini
kill -KILL "$(process mini)"
until_true 60 "another one trains" is_training mini && kill -KILL "$(pgrep --parent "$(process mini)" | head -n 1)"
scontrol update nodename=n2 state=drain reason=test
until_true 300 "n2 is empty" is_empty n2
sleep 2
expect "a drained node gets nothing" is_empty n2
scontrol update nodename=n2 state=resume
until_true 1800 "the queue is empty" queue_is_empty
"$program" status experiments/mini.yaml | tail -n 12
expect "the pretraining went on from checkpoints" grep --quiet --recursive "resumed from the checkpoint" \
    runs/mini-pretrain --include=record.json

echo "what was killed is sent again"
"$program" submit experiments/mini.yaml "${part[@]}" --minutes-per-task 0 --retry-failed | tee again.txt
expect "something was killed" test "$(sed -n 's/^mini: \([0-9]*\) sent.*/\1/p' again.txt)" -gt 0
until_true 600 "the queue is empty" queue_is_empty
"$program" submit experiments/mini.yaml "${part[@]}" | tee again.txt
expect "everything is done" holds "mini: 0 sent, 16 done before" again.txt
"$program" report experiments/mini.yaml
expect "the report is that of the local sweep" python3 "$here/same.py" mini "$place/local" "$place/cluster"

echo "cancel"
"$program" submit experiments/mini.yaml --only task=rte,batch_size=16 --minutes-per-task 0
"$program" cancel experiments/mini.yaml | tee cancel.txt
expect "it takes back what was sent" grep --quiet --extended-regexp '^mini: [1-9][0-9]* array tasks cancelled' cancel.txt
until_true 120 "the queue is empty" queue_is_empty

echo "Slurm: $passed passed, $failed failed"
test "$failed" -eq 0
