#!/usr/bin/env bash
# What `just parity-pretraining` does: the same pretraining run by bertbench and by PyTorch, from the same weights on the
# same examples, and how far the two are apart. docs/parity.md has what came of it.
#
#     bash tests/parity_pretraining.sh TEXT HELD_OUT VOCABULARY STEPS DROPOUT
#
# Needs what tests/parity.sh needs. Everything lies under target/parity/pretraining, where a run that was stopped goes on.
# BERTBENCH_PARITY_DEVICE is PyTorch's device (cpu).
set -euo pipefail
cd "$(dirname "$0")/.."
text=$1 held_out=$2 vocabulary=$3 steps=$4 dropout=$5
run=$steps-steps-dropout-$dropout
target=${CARGO_TARGET_DIR:-target}
work=$target/parity/pretraining
interpreter=$(bash tests/references.sh)
cargo build --release --locked
bertbench=$(cd "$target/release" && pwd)/bertbench
mkdir -p "$work"

prepare() { # text, folder, options…
    [[ -e $work/$2 ]] || "$bertbench" corpus prepare --input "$1" --format wikitext --vocab-file "$vocabulary" --out "$work/$2" "${@:3}"
}

reference() { "$interpreter" tests/golden/pretraining_run.py "$@"; }

prepare "$text" corpus
prepare "$held_out" held-out --dupe-factor 1
[[ -e $work/start ]] || reference start --vocabulary "$vocabulary" --out "$work/start"
"$bertbench" pretrain --init-checkpoint "$work/start" --corpus "$work/corpus" --steps "$steps" --held-out "$work/held-out" \
    --batch-size 32 --learning-rate 5e-4 --warmup-steps $((steps / 10)) --optimizer adamw --dropout "$dropout" \
    --eval-steps $((steps / 10)) --logging-steps $((steps / 20)) --out "$work/bertbench-$run"
"$bertbench" corpus export "$work/corpus" --steps "$steps" --batch-size 32 --out "$work/batches-$steps.jsonl"
"$bertbench" corpus export "$work/held-out" --out "$work/held-out.jsonl"
reference train --settings "$work/bertbench-$run/settings.json" --start "$work/start" --batches "$work/batches-$steps.jsonl" \
    --held-out "$work/held-out.jsonl" --device "${BERTBENCH_PARITY_DEVICE:-cpu}" --out "$work/pytorch-$run.jsonl"
reference compare "$work/bertbench-$run/metrics.jsonl" "$work/pytorch-$run.jsonl"
