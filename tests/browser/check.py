"""The report in a browser, as a reader uses it, from file://: sorted, filtered, opened, narrow, dark, by axe-core.

    python tests/browser/check.py FOLDER [--screenshots FOLDER] [--chromium PROGRAM]

FOLDER holds reports, each a folder with an index.html; those called `hostile` have names and texts that are markup.
Prints what is wrong, and exits with 1 if anything is.
"""
import argparse
import pathlib
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

WIDTHS = (1280, 360)
SCHEMES = ("light", "dark")
failures = []


def expect(is_so, what):
    if not is_so:
        failures.append(what)
        print(f"FAILED {what}", flush=True)


class Reader:
    """A page, with everything that it should not do noted."""

    def __init__(self, browser, path, scheme="light", width=1280, url=None):
        self.scheme, self.width = scheme, width
        own = ("file:", "data:") if url is None else (url, "data:")
        self.context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        self.page = self.context.new_page()
        self.where = f"{path.parent.name}/{path.name} ({scheme}, {width} px)"
        self.page.on("console", lambda message: expect(message.type not in ("error", "warning"),
                                                       f"{self.where}: the console says {message.text}"))
        self.page.on("pageerror", lambda error: expect(False, f"{self.where}: {error}"))
        self.page.on("request", lambda request: expect(request.url.startswith(own),
                                                       f"{self.where}: asks for {request.url}"))
        self.page.on("dialog", self.dialog)
        self.page.goto(url or path.as_uri())

    def dialog(self, dialog):
        expect(False, f"{self.where}: a dialog says {dialog.message}")
        dialog.dismiss()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


def look(reader, screenshots):
    """Fits its width, breaks no rule of axe-core, runs no script but its own."""
    page, where = reader.page, reader.where
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    expect(overflow <= 0, f"{where}: {overflow} px wider than the window")
    scripts = page.evaluate("[document.scripts.length, document.images.length, document.querySelectorAll('iframe,object').length]")
    expect(scripts == [1, 0, 0], f"{where}: scripts, images, frames: {scripts}")
    # Colours follow the scheme and layout the width: two of the four have everything.
    if (reader.scheme, reader.width) not in (("light", 1280), ("dark", 360)):
        return
    if screenshots:
        name = where.replace("/", "-").replace(" ", "-").replace(",", "").replace("(", "").replace(")", "")
        page.screenshot(path=screenshots / f"{name}.png", full_page=True)
    for violation in Axe().run(page).response["violations"]:
        nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
        expect(False, f"{where}: axe {violation['id']}: {violation['help']}: {nodes}")


def sort(reader, table):
    """A click sorts upwards, the next downwards; numbers as numbers, cells without one last."""
    values = """(table, at) => [...table.tBodies[0].rows].map(row => row.cells[at].dataset.sort ?? null)"""
    for at, head in enumerate(table.query_selector_all("thead th")):
        for order in ("ascending", "descending"):
            head.query_selector("button").click()
            expect(head.get_attribute("aria-sort") == order, f"{reader.where}: column {at} is not {order}")
            found = reader.page.evaluate(f"([table, at]) => ({values})(table, at)", [table, at])
            numbers = [float(value) for value in found if value is not None]
            expect(all(value is not None for value in found[:len(numbers)]), f"{reader.where}: column {at}: a cell without a number is not last")
            expect(numbers == sorted(numbers, reverse=order == "descending"), f"{reader.where}: column {at} {order}: {numbers[:9]}")


def filter_rows(reader, table):
    """Typing leaves the rows that have all words, in any case; nothing typed leaves all."""
    field = table.evaluate_handle("table => table.parentElement.previousElementSibling.querySelector('input')").as_element()
    rows = table.query_selector_all("tbody tr")
    word = max(rows[-1].text_content().split(), key=len)[:12]
    field.fill(word.upper())
    shown = [row.text_content().lower() for row in rows if row.is_visible()]
    expect(shown and all(word.lower() in text for text in shown), f"{reader.where}: filtered by {word!r}: {len(shown)} rows")
    field.fill("no row says \u2603 this")
    expect(not any(row.is_visible() for row in rows), f"{reader.where}: rows stay where none has the word")
    field.fill("")
    expect(all(row.is_visible() for row in rows), f"{reader.where}: rows are missing when nothing is typed")


def open_run(reader):
    """A run's id opens its settings, and their head closes them."""
    page = reader.page
    page.click("#runs tbody a")
    is_open = page.evaluate("document.getElementById(location.hash.slice(1))?.open")
    expect(is_open, f"{reader.where}: a run's settings stay closed")
    page.click("details[open] summary")
    expect(page.query_selector("details[open]") is None, f"{reader.where}: a run's settings stay open")


def use(browser, index):
    """As a reader goes through the report."""
    with Reader(browser, index) as reader:
        page = reader.page
        tables = page.query_selector_all("table[data-interactive]")
        for table in tables:
            filter_rows(reader, table)
            sort(reader, table)
        for link in page.query_selector_all("nav a[href^='#']"):
            link.click()
            target = page.evaluate("document.getElementById(location.hash.slice(1))?.tagName")
            expect(target == "SECTION", f"{reader.where}: {link.get_attribute('href')} leads to {target}")
        run = page.query_selector("#runs tbody a")
        if run and not run.get_attribute("href").startswith("#"):
            # Of many runs, those of a model on a task have a page.
            beside = run.get_attribute("href")
            run.click()
            expect(page.url.endswith(beside), f"{reader.where}: the link leads to {page.url}")
            for table in page.query_selector_all("table[data-interactive]"):
                filter_rows(reader, table)
                sort(reader, table)
            open_run(reader)
            page.click("nav a")
            expect(page.url.endswith("index.html#runs"), f"{reader.where}: the way back leads to {page.url}")
        elif run:
            open_run(reader)
        pairs = [link.get_attribute("href") for link in page.query_selector_all("#understanding tbody a")]
        if pairs:
            page.click("#understanding tbody a")
            expect(page.url.endswith(pairs[0]), f"{reader.where}: the link leads to {page.url}")
            expect(page.query_selector("#totals"), f"{reader.where}: {page.url} has no totals")
            page.click("nav a")
            expect(page.url.endswith("index.html#understanding"), f"{reader.where}: the way back leads to {page.url}")
    for name in pairs:
        with Reader(browser, index.parent / name) as reader:
            for table in reader.page.query_selector_all("table[data-interactive]"):
                filter_rows(reader, table)
                sort(reader, table)
    return len(tables), len(pairs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    told = parser.parse_args()
    reports = sorted(told.folder.resolve().glob("*/index.html"))
    expect(reports, f"no report in {told.folder}")
    if told.screenshots:
        told.screenshots.mkdir(parents=True, exist_ok=True)
    counts = [0, 0, 0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=told.chromium, args=["--no-sandbox"])
        for index in reports:
            for page in [index, *sorted(index.parent.glob("*/*.html"))]:
                counts[0] += 1
                for scheme in SCHEMES:
                    for width in WIDTHS:
                        with Reader(browser, page, scheme, width) as reader:
                            look(reader, told.screenshots)
            tables, pairs = use(browser, index)
            counts = [counts[0], counts[1] + tables, counts[2] + pairs]
        browser.close()
    expect(counts[1] > 0 and counts[2] > 0, f"nothing to sort, or no page about two models: {counts}")
    print(f"{counts[0]} pages, {counts[1]} tables sorted and filtered, {counts[2]} pages opened from a report; "
          f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
