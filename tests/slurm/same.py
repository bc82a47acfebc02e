"""Compares two working directories with runs and a report of one experiment: everything must be the same, byte for
byte, but times, speeds, hosts, memory and which checkpoint a run was resumed from. Of runs, those of experiments that both
have count. Ends with 1 when something is not the same.

    python3 same.py EXPERIMENT ONE OTHER
"""

import csv
import json
import sys
from pathlib import Path

# Of results.json. A note says where a run was resumed; which models are kept meanwhile depends on the order of runs.
VARYING = {"timings", "peak_memory", "peak_memory_bytes", "host", "provenance", "costs", "wall", "notes",
           "time_ratio", "metrics.jsonl"}
# Of results.csv, the first of the columns that vary.
FIRST_VARYING = "wall_seconds"


def steady(value):
    if isinstance(value, dict):
        kept = {key: steady(of) for key, of in value.items() if key not in VARYING}
        return {key: of for key, of in kept.items() if not key.startswith(("wall_", "tokens_per_second", "model/"))}
    return [steady(of) for of in value] if isinstance(value, list) else value


def columns(path):
    rows = list(csv.reader(path.open(newline="")))
    kept = rows[0].index(FIRST_VARYING)
    return [row[:kept] for row in rows]


def differing(one, other, path=""):
    """The paths of what differs in two values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from differing(one.get(key), other.get(key), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other)):
            yield from differing(*pair, f"{path}/{number}")
    elif one != other:
        yield path


def experiments(place):
    return {path.name for path in (place / "runs").iterdir() if not path.name.startswith(".")}


def files(place, experiment, among):
    runs = [place / "runs" / name for name in among]
    names = ("predictions*", "model.safetensors", "settings.json")
    found = [path for folder in runs for name in names for path in folder.rglob(name)]
    figures = [path for path in (place / "reports" / experiment).glob("*.svg") if "speed" not in path.name]
    return {path.relative_to(place) for path in [*found, *figures]}


def main(experiment, one, other):
    wrong = []
    among = experiments(one) & experiments(other)
    first, second = files(one, experiment, among), files(other, experiment, among)
    if experiment not in among or first != second:
        wrong.append(f"not the same files: {sorted(map(str, first ^ second))}")
    for path in sorted(first & second):
        if (one / path).read_bytes() != (other / path).read_bytes():
            wrong.append(f"{path} differs")
    report = Path("reports") / experiment
    if columns(one / report / "results.csv") != columns(other / report / "results.csv"):
        wrong.append("results.csv differs")
    results = [steady(json.loads((place / report / "results.json").read_text())) for place in (one, other)]
    wrong.extend(f"results.json differs at {path}" for path in differing(*results))
    print("\n".join(wrong) or f"the same: {len(first)} files, results.csv, results.json")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
