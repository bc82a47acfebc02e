"""The lines that are asked about: `tests/tokens/lines.rs` makes the same ones."""
import csv
import json
import pathlib

HERE = pathlib.Path(__file__).parent
NASTY_LINES = 102_400
MASK = (1 << 64) - 1


def fragments():
    return json.loads((HERE / "fragments.json").read_text(encoding="ascii"))


class SplitMix:
    """SplitMix64 (Steele, Lea and Flood 2014)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return (mixed ^ (mixed >> 31)) % bound


def nasty():
    """Every fragment alone, then 1 to 12 of them with a blank after two of three."""
    parts = fragments()
    draws = SplitMix(3)
    lines = list(parts)
    while len(lines) < NASTY_LINES:
        line = ""
        for _ in range(1 + draws.below(12)):
            line += parts[draws.below(len(parts))]
            line += " " if draws.below(3) > 0 else ""
        lines.append(line)
    return lines


def code_points(first, last):
    """Each character inside a word and alone."""
    return [f"a{chr(code)}b {chr(code)}" for code in range(first, last) if not 0xD800 <= code < 0xE000]


def rows(path):
    text = path.read_bytes().decode()
    return (text[:-1] if text.endswith("\n") else text).split("\n")


# Folder in glue/, splits, the columns of its texts.
GLUE = (("QNLI", ("dev",), (1, 2)), ("RTE", ("train", "dev", "test"), (1, 2)),
        ("STS-B", ("train", "dev", "test"), (7, 8)), ("WNLI", ("train", "dev", "test"), (1, 2)))


def glue(root):
    for folder, splits, columns in GLUE:
        for split in splits:
            for row in rows(root / "glue" / folder / f"{split}.tsv")[1:]:
                fields = row.split("\t")
                yield from (fields[column] for column in columns)


def squad(root):
    """Contexts, questions and every reference answer."""
    for name in ("halfA", "halfB"):
        articles = json.loads((root / "squad" / f"{name}.json").read_bytes())["data"]
        for paragraph in (paragraph for article in articles for paragraph in article["paragraphs"]):
            yield paragraph["context"]
            for question in paragraph["qas"]:
                yield question["question"]
                yield from (answer["text"] for answer in question["answers"])


def swag(root):
    with open(root / "swag" / "val.first91.csv", encoding="utf-8", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            yield row[3]
            yield from row[7:11]


def resume_ner(root):
    """The characters of a sentence, joined."""
    for split in ("train", "dev", "test"):
        sentence = ""
        for row in [*rows(root / "resume_ner" / f"{split}.char.bmes"), ""]:
            if row:
                sentence += row.split(" ")[0]
            elif sentence:
                yield sentence
                sentence = ""


def real(root):
    lines = []
    for split in ("valid", "test"):
        lines += rows(root / "wikitext2" / f"wiki.{split}.tokens")
    for source in (glue, squad, swag, resume_ner):
        lines += source(root)
    return lines + rows(root / "plain" / "google_bert_sample_text.txt")
