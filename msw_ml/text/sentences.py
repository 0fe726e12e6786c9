"""Where a sentence ends: the one rule for words that were heard and for rows that were typed.

In doubt it has not ended: a unit too many gets a code too many, and coders do not cut when unsure (MITI 4.2.1).
"""

from __future__ import annotations

import re

_OPENING = "\"'“‘(-–—"
_CLOSING = "\"'”’)]"
_MARK = re.compile(r"[.…?!]$")
_ELLIPSIS = re.compile(r"(?:\.\.|…)$")
_ABBREVIATION = re.compile(
    r"(?:(?:mr|mrs|ms|dr|st|prof|sr|jr|etc|vs|approx)|[a-hj-z]|(?:[a-z]\.)+[a-z])\.", re.IGNORECASE
)
"""Titles, letters that stand for a name (not "I") and letters with dots, as in "e.g." and "a.m."."""
_ALWAYS_CAPITAL = re.compile(r"I\b")


def ends_sentence(word: str, following: str | None, has_case: bool = True) -> bool:
    """Whether a sentence ends with `word`; `following` is the next word, `None` at the end of the text.

    `has_case`: the text has capitals. Then a small letter goes on with the sentence, except after a plain `?` or
    `!`. An ellipsis ends a sentence only before a capital, and "I" is no evidence of one.
    """
    said = word.strip()
    bare = said.rstrip(_CLOSING)
    if not _MARK.search(bare):
        return False
    if following is None:
        return True
    after = following.strip()
    begins = after.lstrip(_OPENING)
    is_more_marks = bool(after) and not after.strip(".…?!" + _CLOSING)
    if is_more_marks or _ABBREVIATION.fullmatch(bare.lstrip(_OPENING)):
        return False
    if _ELLIPSIS.search(bare):
        return not begins[:1].islower() and not _ALWAYS_CAPITAL.match(begins)
    if has_case and begins[:1].islower():
        return said.endswith(("?", "!"))
    return True
