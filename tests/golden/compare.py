#!/usr/bin/env python3
"""Compares golden files that were made again with the committed ones.

    python tests/golden/compare.py COMMITTED FRESH [--absolute 1e-5] [--relative 1e-4] [--ignore KEY]...
                                   [--loose KEY=ABSOLUTE]...

COMMITTED and FRESH are two files or two folders; of folders, the .json and .safetensors files are compared,
and both must hold the same ones. Numbers may differ by ABSOLUTE + RELATIVE x the larger of the two; of a
safetensors file, by RELATIVE x the largest number of the same tensor. Everything else must be equal but the
values of the ignored keys (`versions`, for one). Below a loose key of a .json file, ABSOLUTE is that key's: the
losses of a long training differ more than the rest. For the folders of bert.py:

    --loose losses=5e-3 --loose trained_logits=2e-2 --ignore versions

Exit code 1 when something differs.
"""
import argparse
import json
import math
import pathlib
import sys

import numpy
from safetensors.numpy import load_file


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def differences(a, b, at, given, absolute):
    """Where two JSON values differ, as lines."""
    if number(a) and number(b) and (isinstance(a, float) or isinstance(b, float)):
        if math.isnan(a) and math.isnan(b):
            return
        if not abs(a - b) <= absolute + given.relative * max(abs(a), abs(b)):
            yield f"{at}: {a} and {b}"
    elif isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key in given.ignore:
                continue
            if key not in a or key not in b:
                yield f"{at}.{key}: only in {'FRESH' if key in b else 'COMMITTED'}"
            else:
                yield from differences(a[key], b[key], f"{at}.{key}", given, given.loose.get(key, absolute))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (one, other) in enumerate(zip(a, b)):
            yield from differences(one, other, f"{at}[{index}]", given, absolute)
    elif type(a) is not type(b) or a != b:
        yield f"{at}: {str(a)[:60]} and {str(b)[:60]}"


def tensor_differences(a, b, given):
    for name in sorted(a.keys() | b.keys()):
        if name not in a or name not in b:
            yield f"{name}: only in {'FRESH' if name in b else 'COMMITTED'}"
            continue
        one, other = a[name], b[name]
        if one.shape != other.shape or one.dtype != other.dtype:
            yield f"{name}: {one.dtype} {one.shape} and {other.dtype} {other.shape}"
            continue
        one, other = one.astype(numpy.float64), other.astype(numpy.float64)
        allowed = given.absolute + given.relative * max(numpy.abs(one).max(initial=0), numpy.abs(other).max(initial=0))
        off = numpy.abs(one - other).max(initial=0)
        if not off <= allowed:
            yield f"{name}: differs by {off:.3g}, allowed {allowed:.3g}"


def compare(committed, fresh, given):
    if committed.suffix == ".safetensors":
        return list(tensor_differences(load_file(committed), load_file(fresh), given))
    return list(differences(json.loads(committed.read_text()), json.loads(fresh.read_text()), "", given, given.absolute))


def files(root):
    found = (path for path in root.rglob("*") if path.suffix in (".json", ".safetensors"))
    return {path.relative_to(root) for path in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("committed", type=pathlib.Path)
    parser.add_argument("fresh", type=pathlib.Path)
    parser.add_argument("--absolute", type=float, default=1e-5)
    parser.add_argument("--relative", type=float, default=1e-4)
    parser.add_argument("--ignore", action="append", default=[])
    parser.add_argument("--loose", action="append", default=[])
    given = parser.parse_args()
    given.loose = {key: float(value) for key, value in (pair.split("=") for pair in given.loose)}
    problems, compared = [], 0
    if given.committed.is_dir():
        ours, theirs = files(given.committed), files(given.fresh)
        problems += [f"{path}: only in COMMITTED" for path in sorted(ours - theirs)]
        problems += [f"{path}: only in FRESH" for path in sorted(theirs - ours)]
        pairs = [(given.committed / path, given.fresh / path) for path in sorted(ours & theirs)]
    else:
        pairs = [(given.committed, given.fresh)]
    for committed, fresh in pairs:
        compared += 1
        problems += [f"{committed}: {line}" for line in compare(committed, fresh, given)]
    for line in problems[:40]:
        print(line)
    if len(problems) > 40:
        print(f"... and {len(problems) - 40} more")
    print(f"{compared} files compared, {len(problems)} differences")
    sys.exit(bool(problems) or not compared)


if __name__ == "__main__":
    main()
