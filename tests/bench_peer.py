#!/usr/bin/env python3
"""bertbench against another program at the same work, alternated: `just bench-peer`, `just bench-peer-finetune`.

Both programs do a piece of work in turns (ours, peer, ours, peer, ...), each in a process of its own; what is
compared are medians. `step` is about seconds of a training step, `finetune` about seconds from the start of
the process to the dev score. Prints a Markdown table, progress goes to standard error; exit code 1 when a
ratio is over its limit. Needs no package of Python's; the peer's interpreter needs the peer's.

A peer of `step` prints a line with `seconds X` for every step (the first two are left out), or a JSON object
with `seconds_per_step`. Its command may hold {batch} {length} {layers} {hidden} {heads} {steps} {mode}, where
{mode} is the row's (fp32, bf16, compile, compile-bf16). A peer of `finetune` prints a JSON line with
`train_seconds`, `eval_seconds` and the dev scores; its command may hold {data} {model} {task} {padding}
{precision} {rate} {batch} {epochs} {seed}.

With `--device` both compute on a GPU, which ours names as experiment files do (`vulkan:1`), PyTorch as
`--peer-device` says; both may be in a command as {device} and {peer_device}. Limits are for the CPU and are not
judged then.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "tests" / "peers"
# Of the peer's steps: the first allocates, the second may still compile.
WARM_UP = 2

Step = namedtuple("Step", "name layers hidden heads batch length precision mode at_most")
STEPS = [
    Step("step-f32", 4, 768, 12, 16, 128, "f32", "compile", 0.85),
    Step("step-bf16", 4, 768, 12, 16, 128, "bf16", "compile-bf16", 0.85),
    Step("minilm-f32", 6, 384, 12, 32, 64, "f32", "compile", 0.8),
    Step("minilm-bf16", 6, 384, 12, 32, 64, "bf16", "compile-bf16", 0.8),
    Step("base-f32", 12, 768, 12, 16, 128, "f32", "fp32", 0.85),
    Step("large-f32", 24, 1024, 16, 8, 128, "f32", "fp32", 0.85),
]
MEMORY_AT_MOST = 1.0

Task = namedtuple("Task", "name task folder padding precision at_most")
TASKS = [
    Task("stsb-f32", "stsb", "STS-B", "group", "f32", 0.7),
    Task("rte-f32", "rte", "RTE", "group", "f32", 0.7),
    Task("rte-padded-f32", "rte", "RTE", "max", "f32", 0.4),
    Task("stsb-bf16", "stsb", "STS-B", "group", "bf16", 0.6),
    Task("rte-bf16", "rte", "RTE", "group", "bf16", 0.6),
]
# The Hugging Face Trainer's names of precisions.
TRAINER_PRECISION = {"f32": "fp32", "bf16": "bf16"}
FINETUNING = {"rate": "5e-5", "batch": 32, "epochs": 3, "seed": 1}

Ended = namedtuple("Ended", "output seconds memory")


class Failed(Exception):
    """A program that ended badly or said nothing that is understood."""


def run(command, folder):
    """What a command printed, the seconds from its start to its end, and the most memory that it had resident."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors)
        output = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            last = errors.read().decode(errors="replace")[-2000:]
            raise Failed(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{last}")
    # In bytes on macOS, in KiB elsewhere (getrusage(2)).
    return Ended(output, seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def filled(command, values):
    """`command` with values in place of their names in braces; other braces stay."""
    name = re.compile(r"\{(\w+)\}")
    return [name.sub(lambda found: str(values.get(found[1], found[0])), str(word)) for word in command]


def seconds_per_step(output):
    for line in [output, *output.splitlines()]:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and "seconds_per_step" in told:
            return told["seconds_per_step"]
    every = [float(seconds) for seconds in re.findall(r"\bseconds[ =:]+([0-9.]+)", output)][WARM_UP:]
    if not every:
        raise Failed(f"no seconds of a step in what it printed:\n{output[-2000:]}")
    return statistics.median(every)


def last_object(output):
    for line in reversed(output.splitlines()):
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            return told
    raise Failed(f"no JSON object in what it printed:\n{output[-2000:]}")


def alternated(rounds, ours, peer, name):
    """`rounds` measurements (seconds, bytes, remark) of each, in turns."""
    measured = ([], [])
    for number in range(rounds):
        for side, (who, measure) in enumerate((("ours", ours), ("peer", peer))):
            seconds, memory, remark = measure()
            measured[side].append((seconds, memory, remark))
            print(f"{name} {number + 1}/{rounds} {who}: {seconds:.4g} s, {memory / 2**20:.0f} MiB {remark}",
                  file=sys.stderr, flush=True)
    return measured


def judged(ratio, at_most):
    return "–" if at_most is None else f"{at_most:.2f} {'ok' if ratio <= at_most else 'over'}"


def table_row(row, what, against, measured, memory_at_most):
    """A row of the table, and whether it keeps its limits."""
    seconds = [statistics.median(value[0] for value in side) for side in measured]
    memory = [statistics.median(value[1] for value in side) for side in measured]
    ratio, of_memory = seconds[0] / seconds[1], memory[0] / memory[1]
    cells = [row.name, what, against, f"{seconds[0]:.4g}", f"{seconds[1]:.4g}", f"{ratio:.3f}",
             judged(ratio, row.at_most), f"{memory[0] / 2**20:.0f}", f"{memory[1] / 2**20:.0f}", f"{of_memory:.2f}",
             judged(of_memory, memory_at_most)]
    remarks = [" ".join(sorted({value[2] for value in side if value[2]})) for side in measured]
    if any(remarks):
        cells += remarks
    return cells, ((row.at_most is None or ratio <= row.at_most)
                   and (memory_at_most is None or of_memory <= memory_at_most))


HEADER = ["row", "work", "against", "ours, s", "peer, s", "ratio", "at most", "ours, MiB", "peer, MiB", "ratio", "at most"]


def step_row(arguments, row):
    size = [f"--{name}={getattr(row, name)}" for name in ("layers", "hidden", "heads")]
    size += [f"--batch-size={row.batch}", f"--length={row.length}"]
    ours = [arguments.bertbench, "bench", "step", *size, f"--precision={row.precision}", f"--steps={arguments.steps}",
            "--json"]
    ours += on_device(arguments, arguments.device)
    values = {**row._asdict(), **devices(arguments), "steps": arguments.steps + WARM_UP}
    peer = filled(arguments.command or [arguments.python, arguments.peer or PEERS / "train_step.py", "{batch}", "{length}",
                                        "{layers}", "{hidden}", "{heads}", "{steps}", "{mode}",
                                        *on_device(arguments, "{peer_device}")], values)

    def measure(command):
        ended = run(command, arguments.scratch)
        return seconds_per_step(ended.output), ended.memory, ""

    measured = alternated(arguments.rounds, lambda: measure(ours), lambda: measure(peer), row.name)
    what = f"step, {row.layers} × {row.hidden}, {row.batch} × {row.length}, {row.precision}"
    against = " ".join(map(str, arguments.command)) or f"PyTorch {row.mode}"
    return table_row(row, what, against, measured, MEMORY_AT_MOST if arguments.device == "cpu" else None)


def devices(arguments):
    return {"device": arguments.device, "peer_device": arguments.peer_device}


def on_device(arguments, name):
    """The option that names a device; none for the CPU."""
    return [] if arguments.device == "cpu" else [f"--device={name}"]


EXPERIMENT = """\
experiment: peer
data: {data}
models: {{encoder: {{checkpoint: {model}}}}}
tasks: [{task}]
sweep: {{batch_size: [{batch}], learning_rate: [{rate}], epochs: [{epochs}]}}
seeds: [{seed}]
training: {{precision: {precision}}}
device: {device}
"""


def our_finetuning(arguments, row):
    """From nothing but the data and the weights: no features are cached."""
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        values = {**FINETUNING, **devices(arguments), "data": json.dumps(str(arguments.data)), "model": json.dumps(str(arguments.model)),
                  "task": row.task, "precision": row.precision}
        Path(folder, "peer.yaml").write_text(EXPERIMENT.format(**values))
        ended = run([arguments.bertbench, "run", "peer.yaml", "--slots=1", f"--threads={cores()}"], folder)
        [record] = Path(folder, "runs").glob("peer/*/*/*/record.json")
        record = json.loads(record.read_text())
    scores = {score["metric"]: score["value"] for score in record["scores"]}
    return ended.seconds, ended.memory, shown(scores)


def peer_finetuning(arguments, row):
    values = {**FINETUNING, **devices(arguments), "data": arguments.data, "model": arguments.model, "task": row.folder, "padding": row.padding,
              "precision": TRAINER_PRECISION[row.precision]}
    command = arguments.command or [arguments.python, arguments.peer or PEERS / "finetune_glue.py", "{data}", "{model}",
                                    "{task}", "{padding}", "{precision}", "{rate}", "{batch}", "{epochs}", "{seed}",
                                    *on_device(arguments, "gpu")]
    ended = run(filled(command, values), arguments.scratch)
    told = last_object(ended.output)
    scores = {name.removeprefix("eval_"): value for name, value in told.items()}
    work = told.get("train_seconds", 0) + told.get("eval_seconds", 0)
    # Without the seconds in which Python reads its packages and the data; ours are from the process's start.
    return (work or ended.seconds), ended.memory, shown(scores)


def shown(scores):
    known = [name for name in ("accuracy", "pearson", "spearman") if isinstance(scores.get(name), float)]
    return ", ".join(f"{name} {scores[name]:.3f}" for name in known)


def finetune_row(arguments, row):
    measured = alternated(arguments.rounds, lambda: our_finetuning(arguments, row),
                          lambda: peer_finetuning(arguments, row), row.name)
    what = f"{row.folder}, {FINETUNING['epochs']} epochs, {row.precision}"
    against = " ".join(map(str, arguments.command)) or f"Trainer, {row.padding}, {row.precision}"
    return table_row(row, what, against, measured, None)


MODES = {"step": (STEPS, step_row, 3), "finetune": (TASKS, finetune_row, 1)}


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def processor():
    try:
        names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        names = []
    return names[0] if names else platform.processor()


def versions(python):
    script = "import importlib.metadata as m\nfor n in ('torch', 'transformers'):\n try: print(n, m.version(n))\n except m.PackageNotFoundError: pass"
    return ", ".join(subprocess.run([python, "-c", script], capture_output=True, text=True, check=False).stdout.splitlines())


def split(words):
    """Our words, and another peer's command: what follows the options, each of which has a value, or `--`."""
    at = 1
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 1 if "=" in words[at] or words[at] in ("-h", "--help") else 2
    return words[:at], words[at + 1:] if words[at:at + 1] == ["--"] else words[at:]


def arguments_of(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n", 1)[1],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=MODES)
    parser.add_argument("--rows", help="some rows by name, separated by commas [default: all]")
    parser.add_argument("--rounds", type=int, help="turns of each program [default: 3 of step, 1 of finetune]")
    parser.add_argument("--steps", type=int, default=8, help="steps that count in a turn [default: 8]")
    parser.add_argument("--bertbench", default=ROOT / "target" / "release" / "bertbench", help="our program")
    parser.add_argument("--python", default=os.environ.get("BERTBENCH_PARITY_PYTHON", sys.executable),
                        help="the interpreter of the peer")
    parser.add_argument("--peer", help="the peer's script, with the arguments of those in tests/peers")
    parser.add_argument("--device", default="cpu", help="where ours computes, as experiment files name it [default: cpu]")
    parser.add_argument("--peer-device", help="where PyTorch computes [default: cpu with cpu, else cuda]")
    parser.add_argument("--data", default=ROOT / "datasets" / "glue", help="the folder that holds RTE/ and STS-B/")
    parser.add_argument("--model", default=ROOT / "datasets" / "all-MiniLM-L6-v2", help="the checkpoint's folder")
    parser.usage = "%(prog)s [-h] {step,finetune} [--OPTION VALUE ...] [COMMAND ...]"
    options, command = split(words)
    arguments = parser.parse_args(options)
    arguments.command = command
    rows, _, rounds = MODES[arguments.work]
    names = arguments.rows.split(",") if arguments.rows else [row.name for row in rows]
    known = {row.name: row for row in rows}
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"unknown row {unknown[0]}; known: {', '.join(known)}")
    arguments.rows = [known[name] for name in names]
    arguments.rounds = arguments.rounds or rounds
    arguments.peer_device = arguments.peer_device or ("cpu" if arguments.device == "cpu" else "cuda")
    if arguments.device != "cpu":
        arguments.rows = [row._replace(at_most=None) for row in arguments.rows]
    for path in ("bertbench", "data", "model"):
        setattr(arguments, path, Path(getattr(arguments, path)).resolve())
    if arguments.peer:
        arguments.peer = Path(arguments.peer).resolve()
    return arguments


def main():
    arguments = arguments_of(sys.argv[1:])
    _, measure, _ = MODES[arguments.work]
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"note: the machine is busy (load {load:.1f}): ratios may mislead", file=sys.stderr)
    rows, kept = [], True
    with tempfile.TemporaryDirectory() as arguments.scratch:
        try:
            for row in arguments.rows:
                cells, well = measure(arguments, row)
                rows.append(cells)
                kept = kept and well
        except Failed as failed:
            print(f"error: {failed}", file=sys.stderr)
            return 2
    header = HEADER + ["ours, dev", "peer, dev"] * (len(rows[0]) > len(HEADER))
    for cells in [header, ["---"] * len(header), *rows]:
        print("| " + " | ".join(cells) + " |")
    ours = subprocess.run([arguments.bertbench, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"\n{processor()}, {cores()} cores, {platform.system()} {platform.release()}; {ours}; "
          f"{versions(arguments.python)}; {time.strftime('%Y-%m-%d', time.gmtime())}, {arguments.rounds} rounds")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
