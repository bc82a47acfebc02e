#!/usr/bin/env bash
# hint.sh FEATURES: one line about how to use this machine's GPU, where there is one that a build with FEATURES leaves idle.
set -euo pipefail

[[ -z $1 ]] || exit 0
if [[ $(uname) == Darwin ]]; then
    echo 'This machine has a GPU: `just features=wgpu run-sweep` computes on it where the experiment has `device: auto` (README, "GPU").'
    exit 0
fi
compgen -G '/dev/dri/renderD*' >/dev/null || [[ -e /dev/nvidia0 ]] || exit 0
if ldconfig -p 2>/dev/null | grep 'libvulkan\.so\.1' >/dev/null; then
    echo 'This machine has a GPU: `just features=vulkan run-sweep` computes on it where the experiment has `device: auto` (README, "GPU").'
fi
