#!/usr/bin/env bash
# five.sh BERTBENCH PYTHON TEXT VOCABULARY: pretraining of word vectors and of the LSTM on one thread, beside gensim's skip-gram
# and PyTorch's nn.LSTM at the same sizes, and the neighbours that both skip-grams find. `just bench-five`.
set -euo pipefail
bertbench=$(realpath "$1") python=$2 text=$(realpath "$3") vocabulary=$(realpath "$4")
peers=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

width=100 epochs=${EPOCHS:-20} batch=256 length=128
steps=${STEPS:-12} # of the LSTM

pretrain() { # MODEL ENCODER SIZES STEPS RATE BATCH LOGGING_STEPS
    cat > "$1.yaml" <<YAML
experiment: $1
models:
  $1: {encoder: $2, architecture: {$3, max_positions: $length}, vocab_file: $vocabulary}
pretrain:
  text: [$text]
  format: wikitext
  phases: [{max_length: $length, steps: $4}]
  dupe_factor: 1
  batch_size: $6
  learning_rate: $5
  logging_steps: $7
training: {dropout: 0, weight_decay: 0, optimizer: {adamw: {}}}
device: cpu
YAML
    "$bertbench" run "$1.yaml" --threads 1 > "$1.log"
    # The lines of the log but the first, whose steps allocate.
    grep -h tokens_per_second runs/"$1"/*/*/*/metrics.jsonl | tail -n +2 \
        | "$python" -c 'import json, statistics, sys
rates = [json.loads(line)["tokens_per_second"] for line in sys.stdin]
print(f"bertbench: {statistics.median(rates):.0f} tokens/s")'
}

echo "Word vectors of width $width, one thread:"
"$python" "$peers/skip_gram.py" speed --text "$text" --vocab "$vocabulary" --width $width --epochs 2
tokens=$("$python" "$peers/skip_gram.py" tokens --text "$text" --vocab "$vocabulary")
pretrain vectors word_vectors "hidden: $width" $((epochs * tokens / (batch * length))) 5e-2 $batch 5
"$python" "$peers/skip_gram.py" compare --text "$text" --vocab "$vocabulary" --width $width --epochs "$epochs" \
    --model runs/vectors/*/*/*/model

echo "LSTM of 2 layers of width 256, 16 × $length tokens, one thread:"
words=$(wc -l < "$vocabulary")
"$python" "$peers/lstm_step.py" 16 $length 2 256 "$words" "$steps" 1 | tail -1 | sed 's/^/PyTorch: /'
pretrain lstm lstm "layers: 2, hidden: 256" "$steps" 1e-3 16 3
