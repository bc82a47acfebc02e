#!/usr/bin/env bash
# Runs the tests of the CPU kernels (or those that the arguments name), compiled for aarch64, under qemu's user mode.
#
# The kernels name no tensor library, so a crate of them alone is made, with the versions of Cargo.lock: it takes a minute
# where the whole program takes half an hour. Needs qemu-aarch64, a linker and libraries for aarch64 (Debian: qemu-user,
# gcc-aarch64-linux-gnu, libc6-dev-arm64-cross), and Rust's standard library for it (rustup target add
# aarch64-unknown-linux-gnu). RUSTC may name a compiler that has one.
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
for program in qemu-aarch64 aarch64-linux-gnu-gcc; do
    command -v "$program" >/dev/null || {
        echo "$program is missing: install qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross" >&2
        exit 2
    }
done
if ! [[ -d $("${RUSTC:-rustc}" --print sysroot)/lib/rustlib/$target ]]; then
    echo "Rust's standard library for $target is missing: rustup target add $target" >&2
    exit 2
fi

root=$PWD
mkdir -p "${CARGO_TARGET_DIR:-target}/aarch64"
cd "${CARGO_TARGET_DIR:-target}/aarch64"
cp "$root/Cargo.lock" .
{
    printf '[package]\nname = "kernels"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n[lib]\npath = "lib.rs"\n\n'
    # An emulator is slow.
    printf '[profile.dev]\nopt-level = 2\n\n[dependencies]\n'
    grep -E '^(blake3|half|rayon|serde|thiserror) = ' "$root/Cargo.toml"
} > Cargo.toml
cat > lib.rs <<RUST
#![allow(warnings)]
#[path = "$root/src/random.rs"]
pub mod random;
pub mod kernel {
    #[path = "$root/src/kernel/cpu/mod.rs"]
    pub mod cpu;
    #[path = "$root/src/kernel/heads.rs"]
    mod heads;
    #[path = "$root/src/kernel/layer_form.rs"]
    pub mod layer_form;
    #[path = "$root/src/kernel/precision.rs"]
    mod precision;
    pub use heads::AttentionHeads;
    pub use layer_form::{Gelu, LAYER_NORM_EPSILON, LayerForm};
    pub use precision::Precision;
}
RUST
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu'
unset CARGO_TARGET_DIR
# Not --locked: of the locked packages only those that the kernels need stay in the file.
cargo test --lib --target "$target" -- "$@"
