#!/usr/bin/env python3
"""Writes tests/golden/swag.json: how Python's csv reads odd records, and what SWAG's first 91 rows are.

    python tests/golden/swag.py VAL_CSV [FILE]

Made with Python 3.11, standard library only. VAL_CSV is val.csv of SWAG (MIT), cut after 91 rows; its text is not
written, only counts and a SHA-256.

cases   texts, and the records of csv.reader with the line on which each begins; empty lines are no records
val     rows; rows by label; rows with a comma or a quote in a text that is read; sha256 of the rows in order, each
        as context, the four endings behind the beginning they share, and the label, a U+001F after each, then a
        line feed
"""
import collections
import csv
import hashlib
import io
import json
import pathlib
import sys

CASES = [
    "a,b\n1,2\n",
    "a,b\r\n1,2\r\n",
    "a,b\r1,2\r",
    "a,b\n1,2",
    "\n\na\n\n\r\nb\n\n",
    ",\n,,\n",
    '"a","b"\n',
    '"a, b","c ""d"" e"\n',
    '"one\ntwo\r\nthree\rfour",x\nafter,y\n',
    '"",x\n"","" \n',
    'a"b,c""d\n',
    ' "a",b\n',
    '"a"b"c,d"\n',
    '"a" ,"b"\n',
    '"\n\n"\n\n"\n",z\nend\n',
    '""""\n"""a"""\n',
    "\u00e9,\u4e2d,\U0001f600\n",
    "a\u2028b,c\u0085d\x0be\x0cf\x1cg\n",
    "tab\there,#no comment\n\\,\\\"\n",
]


def records(text):
    # newline="" keeps every line break as it is, as the csv module asks for.
    reader = csv.reader(io.StringIO(text, newline=""))
    before = 0
    for fields in reader:
        if fields:
            yield [before + 1, fields]
        before = reader.line_num


def val(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    digest = hashlib.sha256()
    odd = 0
    for row in rows:
        start = row["sent2"] + " " if row["sent2"] else ""
        endings = [row[f"ending{i}"] for i in range(4)]
        texts = [row["sent1"], *[start + ending for ending in endings], row["label"]]
        odd += any("," in text or '"' in text for text in texts)
        digest.update(("".join(text + "\x1f" for text in texts) + "\n").encode())
    labels = collections.Counter(row["label"] for row in rows)
    return {"rows": len(rows), "labels": [labels[str(label)] for label in range(4)],
            "first_id": rows[0][""], "last_id": rows[-1][""],
            "rows_with_comma_or_quote": odd, "sha256": digest.hexdigest()}


expected = {"cases": [{"text": text, "records": list(records(text))} for text in CASES], "val": val(sys.argv[1])}
out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "swag.json"
out.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
