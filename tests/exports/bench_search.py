"""MLflow's search over the runs that `just bench-runs` lists, in SQLite.

    python tests/exports/bench_search.py RUNS.json

RUNS.json is what `BERTBENCH_RUNS_JSON=RUNS.json just bench-runs` wrote. Puts the runs into a new SQLite store with their
settings as parameters and their scores as metrics, and times the search that `runs list --where` is timed with, five
times each in a process of its own: the call alone, and with starting Python and importing MLflow (3.17.2). Without the
logs, 200 lines a run, which a search does not read.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
SETTINGS = ("task", "model", "batch_size", "learning_rate", "epochs", "seed", "max_length", "device")
SCORES = ("score", "best", "steps", "seconds", "peak_memory")
QUERY = """
import time
from mlflow import MlflowClient
client = MlflowClient({uri!r})
start = time.perf_counter()
found, token = [], None
while True:
    page = client.search_runs(["{experiment}"], "params.task = 'rte' and metrics.score > 0.5", order_by=["metrics.score DESC"],
                              max_results=50000, page_token=token)
    found, token = found + list(page), page.token
    if not token:
        break
print(time.perf_counter() - start, len(found))
"""


def fill(uri, runs):
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    client = MlflowClient(uri)
    experiment = client.create_experiment("many")
    for run in runs:
        made = client.create_run(experiment, run_name=run["id"]).info.run_id
        client.log_batch(made, params=[Param(name, str(run[name])) for name in SETTINGS],
                         metrics=[Metric(name, float(run[name]), 1767225600000, 0) for name in SCORES if run[name] is not None])
    return experiment


def main():
    runs = json.loads(pathlib.Path(sys.argv[1]).read_text())
    wanted = sum(run["task"] == "rte" and (run["score"] or 0) > 0.5 for run in runs)
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        start = time.perf_counter()
        experiment = fill(uri, runs)
        print(f"{len(runs)} runs logged in {time.perf_counter() - start:.0f} s")
        for _ in range(5):
            start = time.perf_counter()
            told = subprocess.run([sys.executable, "-c", QUERY.format(uri=uri, experiment=experiment)], check=True,
                                  capture_output=True, text=True).stdout.split()
            whole = time.perf_counter() - start
            assert int(told[-1]) == wanted, (told, wanted)
            print(f"{float(told[-2]):6.2f} s the search, {whole:6.2f} s with Python: {told[-1]} runs", flush=True)


main()
