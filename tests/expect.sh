# Sourced by tests that run the program: `expect` says what holds and counts it.
# shellcheck shell=bash disable=SC2034
passed=0
failed=0

expect() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok    $what"
    else
        failed=$((failed + 1))
        echo "FAIL  $what: $*"
    fi
}

holds() { grep --quiet --fixed-strings -- "$1" "$2"; }
