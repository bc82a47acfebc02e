#!/usr/bin/env python3
"""Real data for the tests, `just fetch-realdata`: fetched by `bertbench data fetch`, laid out as the tests read it.

    python3 tests/realdata/fetch.py BERTBENCH FOLDER [--mirror URL]

FOLDER gets what `docs/development.md` lists; BERTBENCH_REALDATA=FOLDER then turns the tests on. Datasets that cannot
be fetched are named, the others are laid out all the same, and the exit code is 1. Tests whose data is not there say
that they were skipped. Needs nothing but Python 3.
"""
import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# SQuAD's dev set in two halves without a common article: tests train on the first and score on the second.
SQUAD_HALVES = {
    "halfA": [
        "Super_Bowl_50", "Warsaw", "Teacher", "Victoria_(Australia)", "Oxygen", "1973_oil_crisis",
        "Apollo_program", "European_Union_law", "Packet_switching", "Black_Death", "Geology",
        "Newcastle_upon_Tyne", "Genghis_Khan", "Immune_system", "Civil_disobedience", "Construction",
        "Harvard_University", "Jacksonville,_Florida", "University_of_Chicago", "Prime_number", "Islamism",
        "Imperialism", "French_and_Indian_War", "Force",
    ],
    "halfB": [
        "Southern_California", "Doctor_Who", "Normans", "Victoria_and_Albert_Museum",
        "American_Broadcasting_Company", "Kenya", "Chloroplast", "Steam_engine", "Rhine", "Economic_inequality",
        "Scottish_Parliament", "Pharmacy", "Nikola_Tesla", "Fresno,_California", "Sky_(United_Kingdom)",
        "Martin_Luther", "Huguenot", "Ctenophora", "Intergovernmental_Panel_on_Climate_Change",
        "United_Methodist_Church", "Computational_complexity_theory", "Yuan_dynasty", "Private_school",
        "Amazon_rainforest",
    ],
}
# The lines of SWAG's dev file that tests read: the header and 91 rows, of which no field has a line break.
SWAG_LINES = 92

# What a file that is made of another must hold; `tests/golden/` has numbers about these bytes.
SHA256 = {
    "squad/halfA.json": "bf8ebb60a161d0594f455be869ff3a476d2fe07da92ab1ecb0dea41f50ea64f3",
    "squad/halfB.json": "f0a16b507dbb983d1a04315b6a189e539aa15c91c4ccfb849b0392593daf80dd",
    "swag/val.first91.csv": "6e5a50aa36320f26fd58fb0d0f7c069a955dc8a68391227e05666cee5ff34128",
}


def copies(source, target):
    """A layout that copies the files of a fetched folder: their names there, and their paths here."""
    def lay_out(fetched, folder):
        for theirs, ours in zip(source, target):
            (folder / ours).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fetched / theirs, folder / ours)
    return lay_out


def same(folder, *names):
    return copies(names, [f"{folder}/{name}" for name in names])


def squad_halves(fetched, folder):
    whole = json.loads((fetched / "dev-v1.1.json").read_text(encoding="utf-8"))
    by_title = {article["title"]: article for article in whole["data"]}
    for half, titles in SQUAD_HALVES.items():
        articles = [by_title[title] for title in titles]
        write(folder, f"squad/{half}.json", json.dumps({"data": articles, "version": whole["version"]}))


def first_rows_of_swag(fetched, folder):
    with open(fetched / "val.csv", encoding="utf-8", newline="") as rows:
        write(folder, "swag/val.first91.csv", "".join(next(rows) for _ in range(SWAG_LINES)).removesuffix("\n"))


def write(folder, name, text):
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != SHA256[name]:
        raise ValueError(f"{name} would have the SHA-256 {found} in place of {SHA256[name]}")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode())


SPLITS = ("train.tsv", "dev.tsv", "test.tsv")
# What `bertbench data fetch` is asked for, the folder that it makes, and what of it goes where.
DATASETS = [
    ("rte", "RTE", same("glue/RTE", *SPLITS)),
    ("stsb", "STS-B", same("glue/STS-B", *SPLITS)),
    ("wnli", "WNLI", same("glue/WNLI", *SPLITS)),
    ("qnli", "QNLI", same("glue/QNLI", "dev.tsv")),
    ("resume", "ResumeNER", same("resume_ner", "train.char.bmes", "dev.char.bmes", "test.char.bmes")),
    ("squad1", "SQuAD-1.1", squad_halves),
    ("swag", "SWAG", first_rows_of_swag),
    (HERE / "wikitext2-tokens.yaml", "wikitext-2-tokens", same("wikitext2", "wiki.valid.tokens", "wiki.test.tokens")),
    (HERE / "vocabulary-uncased.yaml", "vocabulary-uncased",
     copies(["vocab.txt"], ["vocab/bert-base-uncased-vocab.txt"])),
    (HERE / "vocabulary-chinese.yaml", "vocabulary-chinese",
     copies(["vocab.txt"], ["vocab/bert-base-chinese-vocab.txt"])),
    (HERE / "sample-text.yaml", "sample-text", copies(["sample_text.txt"], ["plain/google_bert_sample_text.txt"])),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("bertbench", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mirror", help="as that of `bertbench data fetch`")
    asked = parser.parse_args()
    fetched = asked.folder / ".fetched"
    mirror = ["--mirror", asked.mirror] if asked.mirror else []
    missing = []
    for name, made, lay_out in DATASETS:
        try:
            subprocess.run([asked.bertbench, "data", "fetch", str(name), "--to", str(fetched), *mirror], check=True)
            lay_out(fetched / made, asked.folder)
        except (OSError, LookupError, ValueError, subprocess.CalledProcessError) as error:
            print(f"not laid out: {made}: {error}", file=sys.stderr)
            missing.append(made)
    print(f"{len(DATASETS) - len(missing)} of {len(DATASETS)} datasets are in {asked.folder}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
