"""The pages of `bertbench serve` and `bertbench report --watch` in a browser while a sweep runs: they follow the runs, and
keep to themselves.

    python tests/browser/live.py BERTBENCH [--screenshots FOLDER] [--chromium PROGRAM]

Prints what is wrong, and exits with 1 if anything is.
"""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import Error, sync_playwright

from check import SCHEMES, WIDTHS, Reader, expect, failures, look

EXPERIMENT = """\
experiment: live
mini: {seed: 1}
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
tasks: [rte, wnli]
sweep: {batch_size: [16], learning_rate: [1e-3, 5e-4], epochs: [EPOCHS]}
seeds: [1]
training: {max_length: 32}
device: cpu
"""
UNFINISHED = "the sweep goes on"


def wait(page, what, expression, seconds=600):
    """Until the expression is true; asked from outside, since the page's policy allows no eval. It may load again meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if page.evaluate(expression):
                return
        except Error:
            pass
        time.sleep(0.2)
    expect(False, f"after {seconds} s, not yet: {what}")


def follow(browser, program, folder, screenshots):
    """From the first steps of a run to the end of the sweep, without a hand on the keyboard."""
    sweep = subprocess.Popen([program, "run", "live.yaml", "--slots", "1", "--threads", "1"], cwd=folder,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    serving = watching = None
    try:
        while not any(folder.glob("runs/live/*/*/*/metrics.jsonl")):
            expect(sweep.poll() is None, "the sweep ended before its first step")
        watching = subprocess.Popen([program, "report", "live.yaml", "--watch"], cwd=folder, stdout=subprocess.DEVNULL)
        serving = subprocess.Popen([program, "serve", "live.yaml", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True)
        url = serving.stdout.readline().strip()
        expect(url.startswith("http://127.0.0.1:"), f"serve says {url!r}")
        here = pathlib.Path("live/served")
        written = folder / "reports" / "live" / "index.html"
        while not written.exists():
            expect(watching.poll() is None, "report --watch ended before it wrote a page")
            time.sleep(0.2)
        with Reader(browser, here, url=url) as reader, Reader(browser, written) as file:
            page = reader.page
            expect(UNFINISHED in file.page.inner_text("body"), "the page of report --watch does not say that the sweep goes on")
            page.wait_for_selector("#at-work svg", timeout=120_000)
            look(reader, screenshots)
            step = page.inner_text("#at-work tbody tr td:nth-child(5)")
            wait(page, "another step", f"document.querySelector('#at-work tbody tr td:nth-child(5)')?.innerText !== {json.dumps(step)}")
            # Whoever filters is left alone; the page goes on when the field is empty again.
            page.fill("input[type=search]", "rte")
            page.wait_for_timeout(8_000)
            expect(page.input_value("input[type=search]") == "rte", "the page was loaded again under a filter")
            page.fill("input[type=search]", "")
            wait(page, "the end of the sweep", "document.body.innerText.includes('the sweep is complete')")
            expect(page.query_selector("#at-work") is None, "runs are at work when the sweep is over")
            # Opened from its file while the sweep ran, and not touched since.
            wait(file.page, "the end of the sweep in the page of report --watch", f"!document.body.innerText.includes('{UNFINISHED}')", 120)
            look(file, screenshots)
            expect(watching.wait(60) == 0, f"report --watch ends with {watching.returncode}")
        for scheme in SCHEMES:
            for width in WIDTHS:
                with Reader(browser, here, scheme, width, url=url) as reader:
                    look(reader, screenshots)
        with Reader(browser, here, url=url) as reader:
            answer = reader.page.request.get(url + "live.yaml")
            expect(answer.status == 404, f"a file of the folder: {answer.status}")
        expect(sweep.wait(60) == 0, "the sweep failed")
        serving.send_signal(signal.SIGINT)
        expect(serving.wait(10) == 0, f"serve ends with {serving.returncode}")
    finally:
        for process in (sweep, serving, watching):
            if process and process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(60)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--epochs", type=int, default=150)
    told = parser.parse_args()
    if told.screenshots:
        told.screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        folder = pathlib.Path(folder)
        (folder / "live.yaml").write_text(EXPERIMENT.replace("EPOCHS", str(told.epochs)))
        browser = playwright.chromium.launch(executable_path=told.chromium, args=["--no-sandbox"])
        follow(browser, told.program.resolve(), folder, told.screenshots)
        browser.close()
    print(f"live page: {len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
