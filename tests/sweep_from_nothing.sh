#!/usr/bin/env bash
# The mini sweep end to end in a folder of its own: run a part of it, run it again (nothing is left to
# do), report. `just sweep-from-nothing` builds the program first.
set -euo pipefail

cd "$(dirname "$0")/.."
program=$(realpath "${CARGO_TARGET_DIR:-target}")/release/bertbench
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# All models at two rates on three tasks: one of single sentences, one regression, one of pairs. Two of the models
# are pretrained first.
part=(--only task=cola,task=stsb,task=rte,batch_size=32,epochs=3,learning_rate=1e-3,learning_rate=5e-4)
runs=24
pretrained=2
# shellcheck source=tests/expect.sh
source tests/expect.sh

echo "in $place with $program"
cp -r experiments "$place"
cd "$place"

echo "first run: $runs runs of experiments/mini.yaml, and $pretrained of experiments/mini-pretrain.yaml"
"$program" run experiments/mini.yaml "${part[@]}" | tee first.txt
expect "all runs were done" holds "mini: $((runs + pretrained)) done now, 0 before, 0 failed, 0 interrupted" first.txt
records=$(find runs/mini -name record.json | wc -l)
expect "each run left a record" test "$records" -eq "$runs"
models=$(find runs/mini -name model.safetensors | wc -l)
expect "the best model of each task and model was kept" test "$models" -eq 12

echo "second run: nothing is left to do"
touch mark
start=$SECONDS
"$program" run experiments/mini.yaml "${part[@]}" | tee second.txt
took=$((SECONDS - start))
expect "no run was done again" holds "mini: 0 done now, $((runs + pretrained)) before, 0 failed, 0 interrupted" second.txt
expect "nothing under runs/ was written" test -z "$(find runs -type f -newer mark)"
echo "it took $took s"

echo "report"
"$program" report experiments/mini.yaml
expect "the page is there" test -s reports/mini/index.html
expect "and says what mini scores are not" holds "not GLUE scores" reports/mini/index.html
rows=$(tail -n +2 reports/mini/results.csv | cut -d, -f4 | sort -u | wc -l)
expect "results.csv has a row for every run" test "$rows" -eq "$((runs + pretrained))"
svgs=$(find reports/mini -name '*.svg' | wc -l)
expect "the plots are there ($svgs)" test "$svgs" -ge 6

echo "sweep from nothing: $passed passed, $failed failed"
test "$failed" -eq 0
