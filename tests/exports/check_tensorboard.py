"""What TensorBoard reads of `bertbench export tensorboard`, against results.json of the report.

    python tests/exports/check_tensorboard.py EVENTS RESULTS.json

EVENTS is the folder of the event files. Reads them with TensorBoard's own reader, and asks the plugins scalars and
hparams, as its page does, for what they would show. Made with tensorboard 2.21.0; exits with 1 if anything is wrong.
"""
import json
import pathlib
import sys
import time

import numpy
from tensorboard import default, program
from tensorboard.backend import application
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import plugin_data_pb2
from werkzeug.test import Client

folder, results = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
failures = []


def expect(is_so, what):
    if not is_so:
        failures.append(what)
        print(f"FAILED {what}", flush=True)


def close(a, b):
    """A scalar is kept in 32 bits."""
    return numpy.isnan(a) and b is None or b is not None and abs(a - b) <= 1e-6 * max(1.0, abs(b))


runs = [run["record"] for run in results["runs"] if run.get("record")]
ended = [run for run in results["runs"] if run["state"] in ("done", "failed")]
expect(runs, "no finished runs")
scalars = 0
for record in runs:
    of = record["settings"]
    task = of["objective"]["task"]["task"] if "task" in of["objective"] else "pretraining"
    place = folder / task / of["model"] / record["id"]
    read = EventAccumulator(str(place), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    tags = read.Tags()["scalars"] + read.Tags()["tensors"]
    for score in record["scores"]:
        tag = f"final/{score['split']}/{score['metric']}"
        expect(tag in tags, f"{place}: no {tag}")
        event = read.Scalars(tag)[-1]
        expect(event.step == record["steps"] and close(event.value, score["value"]), f"{place}: {tag}: {event} {score}")
    losses = read.Scalars("train/loss")
    steps = [event.step for event in losses]
    expect(steps == sorted(set(steps)) and steps[-1] == record["steps"], f"{place}: steps {steps[:5]}…")
    times = [event.wall_time for event in losses]
    ends = record["provenance"]["started_unix"], record["provenance"]["finished_unix"]
    expect(times == sorted(times) and ends[0] <= times[0] and times[-1] <= ends[1], f"{place}: times")
    for evaluation in record["evaluations"]:
        for score in evaluation["scores"]:
            found = [e.value for e in read.Scalars(f"{score['split']}/{score['metric']}") if e.step == evaluation["step"]]
            expect(len(found) == 1 and close(found[0], score["value"]), f"{place}: {score} at {evaluation['step']}: {found}")
    scalars += len(losses)
    (file,) = place.iterdir()
    start = [value for event in EventFileLoader(str(file)).Load() for value in event.summary.value
             if value.tag == "_hparams_/session_start_info"]
    expect(len(start) == 1, f"{place}: {len(start)} starts of a session")
    data = plugin_data_pb2.HParamsPluginData.FromString(start[0].metadata.plugin_data.content)
    rate = data.session_start_info.hparams["learning_rate"].number_value
    expect(rate == of["optimization"]["learning_rate"], f"{place}: rate {rate}")

# The pages, as a browser asks for them.
server = program.TensorBoard(plugins=default.get_plugins())
server.configure(logdir=str(folder), load_fast="false", reload_multifile=False)
ingester = server._make_data_ingester()
ingester.start()
app = application.TensorBoardWSGIApp(server.flags, server.plugin_loaders, ingester.data_provider, server.assets_zip_provider, ingester.deprecated_multiplexer)
client = Client(app)
request = {"experimentName": "", "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_UNKNOWN", "STATUS_RUNNING"],
           "colParams": [], "startIndex": 0, "sliceSize": 100000}


def sessions(columns):
    """What the page HParams shows: none before TensorBoard has read the first run."""
    told = client.post("/data/plugin/hparams/session_groups", json={**request, "colParams": columns})
    return told.get_json()["sessionGroups"] if told.status_code == 200 else []


# TensorBoard lists a run as soon as it sees its file, and reads the files one after the other.
for _ in range(600):
    if len(sessions([])) >= len(ended):
        break
    time.sleep(0.5)
shown = client.get("/data/runs").get_json()
expect(len(shown) > len(ended), f"the page lists {len(shown)} runs of {len(ended)}")
experiment = client.post("/data/plugin/hparams/experiment", json={"experimentName": ""}).get_json()
names = {info["name"] for info in experiment["hparamInfos"]}
expect({"task", "model", "learning_rate", "batch_size", "seed"} <= names, f"hparams shows {names}")
columns = [{"metric": info["name"], "includeInResult": True} for info in experiment["metricInfos"]]
columns += [{"hparam": name, "includeInResult": True} for name in sorted(names)]
groups = sessions(columns)
expect(len(groups) == len(ended), f"hparams shows {len(groups)} sessions of {len(ended)}")
states = {"done": "STATUS_SUCCESS", "failed": "STATUS_FAILURE"}
for run in ended:
    (session,) = [session for group in groups if group["name"].endswith(run["id"]) for session in group["sessions"]]
    expect(session["status"] == states[run["state"]], f"{run['id']}: {session['status']}")
by_place = {group["name"]: group for group in groups}
for record in runs:
    group = next(group for name, group in by_place.items() if name.endswith(record["id"]))
    expect(group["hparams"]["learning_rate"] == record["settings"]["optimization"]["learning_rate"], f"{group['name']}: rate")
    values = {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}
    outcome = record["outcome"].get("task")
    if outcome:
        tag = f"final/{outcome['primary_split']}/{outcome['primary_metric']}"
        score = next(s["value"] for s in record["scores"] if (s["split"], s["metric"]) == (outcome["primary_split"], outcome["primary_metric"]))
        expect(tag in values and close(values[tag], score), f"{group['name']}: {tag}: {values}, not {score}")
print(f"TensorBoard: {len(runs)} runs, {scalars} losses, {len(groups)} sessions; {len(failures)} failures")
sys.exit(1 if failures else 0)
