#!/usr/bin/env bash
# What the feature `mpi` needs: Open MPI (or MPICH) with its compiler's wrapper, and libclang, by which the bindings are
# made. On Debian as root they are installed; elsewhere it is said what is missing.
set -euo pipefail

missing=()
command -v mpicc >/dev/null || missing+=(libopenmpi-dev)
command -v mpirun >/dev/null || missing+=(openmpi-bin)
[[ -n ${LIBCLANG_PATH:-} || -n $(find /usr/lib /usr/lib64 /usr/local/lib -name 'libclang[.-]*so*' -print -quit 2>/dev/null) ]] ||
    missing+=(libclang-dev)
(( ${#missing[@]} == 0 )) && exit
if (( EUID != 0 )) || ! command -v apt-get >/dev/null; then
    echo "missing, by Debian's names: ${missing[*]} (libclang may also be in LIBCLANG_PATH)" >&2
    exit 2
fi
apt-get install --yes --no-install-recommends "${missing[@]}"
