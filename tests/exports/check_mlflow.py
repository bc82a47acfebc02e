"""What an MLflow server has after `bertbench export mlflow`, against results.json of the report.

    python tests/exports/check_mlflow.py http://127.0.0.1:5000 NAME RESULTS.json

Asks with MLflow's own client (mlflow 3.17.2). Exits with 1 if anything is wrong.
"""
import json
import math
import pathlib
import sys

from mlflow import MlflowClient

uri, name, results = sys.argv[1], sys.argv[2], json.loads(pathlib.Path(sys.argv[3]).read_text())
failures = []


def expect(is_so, what):
    if not is_so:
        failures.append(what)
        print(f"FAILED {what}", flush=True)


def all_runs(client, experiment):
    found, token = [], None
    while True:
        page = client.search_runs([experiment.experiment_id], max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


client = MlflowClient(uri)
experiment = client.get_experiment_by_name(name)
found = all_runs(client, experiment)
by_id = {}
for run in found:
    by_id.setdefault(run.data.tags["bertbench.run_id"], []).append(run)
expect(all(len(runs) == 1 for runs in by_id.values()), "a run is there twice")
parent = by_id[name][0]
ended = [run for run in results["runs"] if run["state"] in ("done", "failed")]
expect(set(by_id) == {name, *(run["id"] for run in ended)}, f"{len(by_id) - 1} runs, not {len(ended)}")
points = 0
for run in ended:
    there = by_id[run["id"]][0]
    expect(there.data.tags["mlflow.parentRunId"] == parent.info.run_id, f"{run['id']}: another parent")
    expect(there.info.status == ("FINISHED" if run["state"] == "done" else "FAILED"), f"{run['id']}: {there.info.status}")
    params = there.data.params
    expect(float(params["learning_rate"]) == run["settings"]["optimization"]["learning_rate"], f"{run['id']}: {params}")
    expect(params["task"] and params["model"] == run["settings"]["model"], f"{run['id']}: {params}")
    if run["state"] != "done":
        expect("bertbench.failure" in there.data.tags, f"{run['id']}: no cause")
        continue
    record = run["record"]
    for score in record["scores"]:
        value = there.data.metrics[f"final/{score['split']}/{score['metric']}"]
        expect(value == score["value"] or score["value"] is None and math.isnan(value), f"{run['id']}: {score}: {value}")
    losses = client.get_metric_history(there.info.run_id, "train/loss")
    steps = [metric.step for metric in losses]
    expect(sorted(set(steps)) == sorted(steps) and max(steps) == record["steps"], f"{run['id']}: {len(steps)} losses")
    expect(there.info.start_time == 1000 * record["provenance"]["started_unix"], f"{run['id']}: begins {there.info.start_time}")
    expect(there.info.end_time == 1000 * record["provenance"]["finished_unix"], f"{run['id']}: ends {there.info.end_time}")
    points += len(losses)
print(f"MLflow: {len(ended)} runs, {points} losses; {len(failures)} failures")
sys.exit(1 if failures else 0)
