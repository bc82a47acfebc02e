"""Compares two working directories with runs and a report of one experiment: everything must be the same, byte for
byte, but times, hosts, memory and which checkpoint a run was resumed from. Ends with 1 when something is not.

    python3 same.py EXPERIMENT ONE OTHER
"""

import csv
import json
import sys
from pathlib import Path

# Of results.json. A note says where a run was resumed.
VARYING = {"timings", "peak_memory", "peak_memory_bytes", "host", "provenance", "costs", "wall", "notes"}
# Of results.csv, the first of the columns that vary.
FIRST_VARYING = "wall_seconds"


def steady(value):
    if isinstance(value, dict):
        kept = {key: steady(of) for key, of in value.items() if key not in VARYING}
        return {key: of for key, of in kept.items() if not key.startswith(("wall_", "tokens_per_second"))}
    return [steady(of) for of in value] if isinstance(value, list) else value


def columns(path):
    rows = list(csv.reader(path.open(newline="")))
    kept = rows[0].index(FIRST_VARYING)
    return [row[:kept] for row in rows]


def files(place, experiment):
    runs, report = place / "runs", place / "reports" / experiment
    found = [path for name in ("predictions*", "model.safetensors", "settings.json") for path in runs.rglob(name)]
    return {path.relative_to(place) for path in [*found, *report.glob("*.svg")]}


def main(experiment, one, other):
    wrong = []
    if files(one, experiment) != files(other, experiment):
        wrong.append(f"not the same files: {sorted(map(str, files(one, experiment) ^ files(other, experiment)))}")
    for path in sorted(files(one, experiment) & files(other, experiment)):
        if (one / path).read_bytes() != (other / path).read_bytes():
            wrong.append(f"{path} differs")
    report = Path("reports") / experiment
    if columns(one / report / "results.csv") != columns(other / report / "results.csv"):
        wrong.append("results.csv differs")
    results = [steady(json.loads((place / report / "results.json").read_text())) for place in (one, other)]
    if results[0] != results[1]:
        wrong.append("results.json differs")
    print("\n".join(wrong) or f"the same: {len(files(one, experiment))} files, results.csv, results.json")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
