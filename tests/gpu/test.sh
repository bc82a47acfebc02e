#!/usr/bin/env bash
# test.sh FEATURE [--if-found]: the GPU kernels against the composed operations on the CPU, and small experiments on a GPU,
# with a build that has FEATURE (wgpu, vulkan or cuda). Without a GPU: SwiftShader, a software one that Debian's chromium
# carries. Without that either it fails. With --if-found, which continuous integration uses, it says so instead, builds
# nothing and is content; and of the experiments it runs one: a pretraining and two tasks on CPU and GPU.
set -euo pipefail

feature=$1
if_found=${2:-}
swiftshader=/usr/lib/chromium/vk_swiftshader_icd.json
# Mesa's software Vulkan, which has float16.
lavapipe=$(compgen -G '/usr/share/vulkan/icd.d/lvp_icd*.json' | head -n 1 || true)

# Shared libraries that the Vulkan loader may be among: the system's, else chromium's own.
has_loader() { ldconfig -p | grep 'libvulkan\.so\.1' >/dev/null; }

missing() {
    if [[ $if_found == --if-found ]]; then
        printf '%s\n' "test-gpu: left out, for $1" "hint: $2"
        exit 0
    fi
    printf '%s\n' "test-gpu: $1" "hint: $2" >&2
    exit 1
}

if [[ $feature != cuda ]]; then
    if ! has_loader; then
        if [[ -e /usr/lib/chromium/libvulkan.so.1 ]]; then
            export LD_LIBRARY_PATH=/usr/lib/chromium${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        else
            missing 'there is no Vulkan loader' 'apt-get install libvulkan1'
        fi
    fi
    if [[ -n ${VK_ICD_FILENAMES:-} ]]; then
        echo "test-gpu: Vulkan of $VK_ICD_FILENAMES, as VK_ICD_FILENAMES says"
    elif compgen -G '/dev/dri/renderD*' >/dev/null || [[ -e /dev/nvidia0 ]]; then
        echo 'test-gpu: the GPU of this machine'
    elif [[ -e $swiftshader ]]; then
        export VK_ICD_FILENAMES=$swiftshader
        echo "test-gpu: no GPU here, so on SwiftShader ($swiftshader)"
    else
        missing 'this machine has no GPU and no software one' \
            'apt-get install libvulkan1 chromium: the tests then run on its SwiftShader'
    fi
    if [[ $feature == vulkan && ${VK_ICD_FILENAMES:-} == *swiftshader* ]]; then
        missing 'SwiftShader computes NaN from the SPIR-V that the feature vulkan makes' 'just test-gpu wgpu'
    fi
fi

if [[ ${VK_ICD_FILENAMES:-} == *swiftshader* || ${VK_ICD_FILENAMES:-} == *lvp_icd* ]]; then
    # The kernels are compiled and run by the software GPU, whatever cargo optimises; without optimisation the build is shorter.
    export CARGO_PROFILE_DEV_DEBUG=false CARGO_PROFILE_DEV_OPT_LEVEL=0
    profile=()
else
    profile=(--release)
fi
cargo test "${profile[@]}" --locked --features "$feature" --lib -- --nocapture kernel::cube train::device
experiments=cli::gpu
if [[ $if_found == --if-found ]]; then
    experiments=cli::gpu::a_pretraining_and_two_tasks_score_as_on_the_cpu
    echo 'test-gpu: of the experiments one; `just test-gpu` runs them all'
fi
cargo test "${profile[@]}" --locked --features "$feature" --test integration -- --nocapture "$experiments"

if [[ ${VK_ICD_FILENAMES:-} == "$swiftshader" && $feature == wgpu && -n $lavapipe ]]; then
    echo "test-gpu: SwiftShader has no float16, so what needs it on lavapipe ($lavapipe)"
    export VK_ICD_FILENAMES=$lavapipe
    cargo test "${profile[@]}" --locked --features "$feature" --lib -- --nocapture kernel::cube::half_tests
    if [[ $if_found != --if-found ]]; then
        cargo test "${profile[@]}" --locked --features "$feature" --test integration -- --nocapture cli::gpu_precision
    fi
fi
