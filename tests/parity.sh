#!/usr/bin/env bash
# What `just test-parity` does: makes every golden file again with the reference implementations, compares
# them with the committed ones, runs all comparisons, and loads what bertbench writes with transformers.
#
# Needs python3 with venv, and PyPI or a mirror of it: about 7 GB for PyTorch and TensorFlow. Everything
# lies under target/parity; BERTBENCH_PARITY_PYTHON names an interpreter that has the packages already.
set -euo pipefail
cd "$(dirname "$0")/.."
golden=tests/golden
target=${CARGO_TARGET_DIR:-target}
work=$target/parity
fresh=$work/golden
minilm=${BERTBENCH_MINILM:-datasets/all-MiniLM-L6-v2}
realdata=${BERTBENCH_REALDATA:-}
mkdir -p "$work"
work=$(cd "$work" && pwd) fresh=$work/golden
tokens_of=()
if [[ -d $realdata ]]; then tokens_of=(--realdata "$realdata"); fi
export OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=3

say() { printf '\n== %s\n' "$1"; }

python() { "$interpreter" "$@"; }

# The losses of 100 steps amplify the rounding of another processor.
same() {
    python "$golden/compare.py" --loose losses=5e-3 --loose trained_logits=2e-2 --ignore versions "$1" "$2"
    echo "as committed: $1"
}

golden_files() {
    say 'golden files, made again'
    rm -rf "$fresh" "$work/full"
    mkdir -p "$fresh"
    python "$golden/metrics.py" > "$fresh/metrics.json"
    same "$golden/metrics.json" "$fresh/metrics.json"
    python "$golden/stats.py" > "$fresh/stats.json"
    same "$golden/stats.json" "$fresh/stats.json"
    python "$golden/entities.py" > "$fresh/entities.json"
    same "$golden/entities.json" "$fresh/entities.json"
    python "$golden/features.py" "$fresh/features.json"
    same "$golden/features.json" "$fresh/features.json"
    python "$golden/tokens/tokens.py" "$fresh/tokens" ${tokens_of[@]+"${tokens_of[@]}"}
    for file in "$fresh"/tokens/*; do
        cmp "$golden/tokens/$(basename "$file")" "$file"
    done
    echo "as committed: $golden/tokens"
    python "$golden/bert.py" --out "$fresh" --minilm "$minilm" --full "$work/full"
    for folder in "$golden"/bert*/; do
        same "$folder" "$fresh/$(basename "$folder")"
    done
    python "$golden/openai_gpt.py" --out "$fresh"
    python "$golden/recurrent.py" --out "$fresh"
    for folder in "$golden"/{openai_gpt*,lstm,elmo}/; do
        same "$folder" "$fresh/$(basename "$folder")"
    done
    python "$golden/weights.py" "$fresh/weights" > /dev/null
    python "$golden/tf_checkpoints.py" "$fresh/weights" "$fresh/tensorflow" > /dev/null
    # PyTorch's old format holds addresses; its numbers are compared by tests/weights.
    diff -r --exclude=pytorch_model.bin "$golden/weights" "$fresh/weights"
    diff -r "$golden/tensorflow" "$fresh/tensorflow"
    echo "as committed: $golden/weights $golden/tensorflow"
}

comparisons() {
    say 'comparisons'
    export BERTBENCH_PARITY=$work/full BERTBENCH_MEASURED=$work/measured.txt
    rm -f "$BERTBENCH_MEASURED"
    cargo test --release --locked --test integration -- reference_bert:: tokens:: weights:: real_data:: training:: \
        --skip pretraining::
    say 'largest differences'
    cat "$BERTBENCH_MEASURED"
}

# Folders that bertbench converted compute the same bits as their source, in transformers.
converted() {
    say 'converted checkpoints in transformers'
    rm -rf "$work/converted"
    mkdir -p "$work/converted"
    for source in "$golden"/weights/{*,heads/*}/config.json "$golden"/tensorflow/{google,two-files}/bert_config.json; do
        source=$(dirname "$source")
        into=$work/converted/$(basename "$source")
        "$bertbench" convert "$source" "$into" --to hf 2> /dev/null
        reference=$golden/weights/reference
        case $source in *float16 | */no-prefix | */heads/*) reference=$source ;; esac
        python "$golden/load_models.py" "$into" --same-as "$reference"
    done
    "$bertbench" convert "$minilm" "$work/converted/minilm" --to hf 2> /dev/null
    python "$golden/load_models.py" "$work/converted/minilm" --same-as "$minilm"
}

# The tokenizer that goes with a written model, as three of Hugging Face's classes.
tokenizers() {
    say 'written tokenizers in transformers'
    rm -rf "$work/tokenizers"
    BERTBENCH_PARITY_OUT=$work/tokenizers cargo test --release --locked --quiet --test integration -- \
        --ignored write_tokenizer_folders
    python "$golden/tokens/load_tokenizer.py" "$work"/tokenizers/{cased,uncased,chinese}
}

# What a run leaves gives in transformers, with transformers' tokenizer, the logits that the run wrote.
trained() {
    say 'trained models in transformers'
    local here=$work/trained
    rm -rf "$here"
    mkdir -p "$here"
    cat > "$here/parity.yaml" <<'YAML'
experiment: parity
mini: {seed: 1}
models:
  small: {architecture: {layers: 2, hidden: 32, heads: 4, max_positions: 64}}
tasks: [mnli, stsb, rte]
sweep: {batch_size: [16], learning_rate: [1e-3], epochs: [1]}
training: {max_length: 40}
device: cpu
YAML
    (cd "$here" && "$bertbench" run parity.yaml)
    check_trained mnli MNLI/dev_matched.tsv dev_matched sentence1 sentence2
    check_trained stsb STS-B/dev.tsv dev sentence1 sentence2
    check_trained rte RTE/dev.tsv dev sentence1 sentence2
}

check_trained() { # task, file, split, columns…
    local run
    run=$(dirname "$(find "$work/trained/runs" -path "*/$1/*" -name model -type d)")
    python "$golden/load_models.py" "$run/model" --predictions "$run/predictions-$3.tsv" \
        --rows "$work/trained/datasets/mini-1/$2" --max-length 40 --columns "${@:4}"
}

interpreter=$(bash tests/references.sh)
cargo build --release --locked
bertbench=$(cd "$target/release" && pwd)/bertbench
golden_files
comparisons
tokenizers
converted
trained
say 'everything agrees'
