"""Texts as they are searched: normalised, cut into n-grams, each under a township's key."""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from typing import Final

VERSION: Final = 1
"""Of how texts are cut; with another one the index is made anew."""

_GRAM_BYTES: Final = 8


def words_of(text: str) -> list[str]:
    """What stands between the spaces of a text; full and half width, upper and lower case are the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split()


def holds(text: Sequence[str], sought: Sequence[str]) -> bool:
    """Whether each word sought stands within a word of the text; both as `words_of` gives them."""
    return all(any(part in word for word in text) for part in sought)


def text_grams(words: Sequence[str]) -> set[str]:
    """All by which a text can be found."""
    return {gram for word in words for gram in (*word, *_pieces(word))}


def sought_grams(words: Sequence[str]) -> set[str]:
    """Those that a text has which holds the words; single characters only where a word is no more."""
    return {gram for word in words for gram in ((word,) if len(word) == 1 else _pieces(word))}


def keyed(grams: Collection[str], key: bytes) -> list[bytes]:
    """Truncated keyed hashes (BLAKE2b, 64 bits), which say nothing without the key; in order."""
    return sorted(_hash(gram, key) for gram in grams)


def _pieces(word: str) -> Iterator[str]:
    """Every two characters in a row, and every three letters or digits."""
    for start in range(len(word) - 1):
        yield word[start : start + 2]
        three = word[start : start + 3]
        if len(three) == 3 and three.isascii() and three.isalnum():
            yield three


def _hash(gram: str, key: bytes) -> bytes:
    return blake2b(gram.encode(), digest_size=_GRAM_BYTES, key=key).digest()
