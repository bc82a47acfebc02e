"""What google-research/bert's `tokenization.py` does to a text, written down as rules, with the places where
Hugging Face's rules are others as amendments that can be switched on one by one.

With no amendment this is Google's FullTokenizer. With all of them it must give Hugging Face's ids on every line
that `tokens.py` asks about, so the amendments are the whole difference between the two. The per-character
tables of the amendment `unicode` are asked from the `tokenizers` package, character by character.
"""
import functools
import re
import unicodedata

from tokenizers import normalizers, pre_tokenizers

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LITERAL = re.compile("(" + "|".join(map(re.escape, SPECIAL)) + ")")

# name: what Hugging Face does otherwise. The order is that of the bits in the golden files.
AMENDMENTS = {
    "special": "a special token written in the text is that token, not brackets and a word",
    "long": "words of 101 to 200 characters are unknown",
    "private": "private-use characters are dropped",
    "cjk": "U+2B820 to U+2B91F are no Chinese characters",
    "sigma": "a capital sigma at the end of a word becomes σ, not ς",
    "unicode": "tables of Unicode 8 and 9, not Python's",
}
CJK = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
       (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
HOLE = (0x2B820, 0x2B91F)
ASCII_PUNCTUATION = frozenset(map(chr, (*range(33, 48), *range(58, 65), *range(91, 97), *range(123, 127))))


class Table(dict):
    """For `str.translate`: what a character becomes, worked out when it is first met."""

    def __init__(self, rule):
        self.rule = rule

    def __missing__(self, code):
        self[code] = made = self.rule(chr(code))
        return made


def within(char, ranges):
    return any(first <= ord(char) <= last for first, last in ranges)


# What the tokenizers package knows about single characters.
CLEAN = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
STRIP = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
LOWER = normalizers.Lowercase()
NFD = normalizers.NFD()
SPLIT = pre_tokenizers.BertPreTokenizer()


@functools.lru_cache(maxsize=None)
def punctuation_for_hugging_face(char):
    return [piece for piece, _ in SPLIT.pre_tokenize_str(f"a{char}b")] == ["a", char, "b"]


class Rules:
    """One set of amendments, lower-casing or not."""

    def __init__(self, lower, amendments=()):
        self.lower, self.amended = lower, frozenset(amendments)
        self.longest_word = 100 if "long" in self.amended else 200
        self.clean, self.strip = Table(self.cleaned), Table(self.stripped)
        self.recase, self.isolate = Table(self.recased), Table(self.isolated)

    def category(self, char):
        return unicodedata.category(char)

    def cleaned(self, char):
        """Nothing for control characters, a blank for blanks, blanks around Chinese characters."""
        if char in "\t\n\r ":
            return " "
        if char in "\0\ufffd":
            return ""
        category = self.category(char)
        if category == "Co":
            return "" if "private" in self.amended else char
        if "unicode" in self.amended:
            known = CLEAN.normalize_str(char)
            if known != char:
                return known
        elif category in ("Cc", "Cf"):
            return ""
        elif category == "Zs":
            return " "
        chinese = within(char, CJK) and not ("cjk" in self.amended and within(char, [HOLE]))
        return f" {char} " if chinese else char

    def stripped(self, char):
        if "unicode" in self.amended:
            return "" if STRIP.normalize_str(char) == "" else char
        return "" if self.category(char) == "Mn" else char

    def isolated(self, char):
        if "unicode" in self.amended:
            punctuation = punctuation_for_hugging_face(char)
        else:
            punctuation = char in ASCII_PUNCTUATION or self.category(char).startswith("P")
        return f" {char} " if punctuation else char

    def recased(self, char):
        return LOWER.normalize_str(char) if "unicode" in self.amended and char != "Σ" else char

    def lowered(self, word):
        if "sigma" in self.amended:
            word = word.replace("Σ", "σ")
        return word.translate(self.recase).lower()

    def words(self, text):
        for word in text.translate(self.clean).split():
            if self.lower:
                word = self.lowered(word)
                word = NFD.normalize_str(word) if "unicode" in self.amended else unicodedata.normalize("NFD", word)
                word = word.translate(self.strip)
            yield from word.translate(self.isolate).split()

    def tokens(self, text, vocabulary):
        """The ids of `text`; `vocabulary` is a `Vocabulary`."""
        if "special" in self.amended:
            ids = []
            for part in LITERAL.split(text):
                ids += [vocabulary.ids[part]] if part in SPECIAL else self.pieces(part, vocabulary)
            return ids
        return self.pieces(text, vocabulary)

    def pieces(self, text, vocabulary):
        ids = []
        for word in self.words(text):
            ids += vocabulary.unknown if len(word) > self.longest_word else vocabulary.pieces(word)
        return ids


class Vocabulary:
    """Ids of tokens, and the pieces of words: the longest token that fits, again and again."""

    def __init__(self, ids):
        self.ids = ids
        self.unknown = (ids["[UNK]"],)
        self.longest = max(map(len, ids))
        self.pieces = functools.lru_cache(maxsize=1 << 18)(self.split)

    def split(self, word):
        found, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + self.longest), start, -1):
                piece = self.ids.get(prefix + word[start:end])
                if piece is not None:
                    break
            else:
                return self.unknown
            found.append(piece)
            start = end
        return tuple(found)
