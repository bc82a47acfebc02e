#!/usr/bin/env python3
"""Writes tests/golden/parquet/: the same few documents as JSON lines, and in Parquet as pyarrow writes it.

    pip install pyarrow==26.0.1
    python tests/golden/parquet.py

default     pyarrow's defaults (dictionary, snappy, pages of version 1), in row groups of two
delta       zstd, pages of version 2, lengths as differences, no dictionary
category    a dictionary column, as pandas writes its categories, gzip
required    no nulls are allowed, not compressed
brotli      a codec that is not read
"""
import json
import pathlib

import pyarrow
import pyarrow.parquet

assert pyarrow.__version__ == "26.0.1", pyarrow.__version__

TEXTS = ["It rained. We stayed in.\nNobody came.", None, "Dr. Smith read a book.", "", "Ça va? Oui, 很好。",
         "It rained. We stayed in.\nNobody came.", "The sun came out."]


def main():
    folder = pathlib.Path(__file__).parent / "parquet"
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"id": at, "text": text}, ensure_ascii=False) for at, text in enumerate(TEXTS)]
    (folder / "documents.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ids = pyarrow.array(range(len(TEXTS)), pyarrow.int64())
    texts = pyarrow.array(TEXTS, pyarrow.string())
    table = pyarrow.table({"id": ids, "text": texts, "tags": pyarrow.array([["a"]] * len(TEXTS))})
    write = pyarrow.parquet.write_table
    write(table, folder / "default.parquet", row_group_size=2)
    write(table, folder / "delta.parquet", compression="zstd", data_page_version="2.0", use_dictionary=False,
          column_encoding={"text": "DELTA_LENGTH_BYTE_ARRAY"})
    write(pyarrow.table({"text": texts.dictionary_encode()}), folder / "category.parquet", compression="gzip")
    schema = pyarrow.schema([pyarrow.field("text", pyarrow.large_string(), nullable=False)])
    write(pyarrow.table({"text": [text or "" for text in TEXTS]}, schema=schema), folder / "required.parquet",
          compression="none")
    write(table, folder / "brotli.parquet", compression="brotli")


if __name__ == "__main__":
    main()
