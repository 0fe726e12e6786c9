"""Answers that are no JSON value, or that come in several formats: their media types, with examples."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from serving import representations, results
from serving.api.description.story import Story

Json = dict[str, Any]
_BINARY: Json = {"schema": {"type": "string", "format": "binary"}}
_METRICS = """# HELP msw_jobs Jobs by state.
# TYPE msw_jobs gauge
msw_jobs{state="queued"} 2.0
msw_jobs{state="running"} 1.0
"""
_CARD = "# behaviour_coder 2.0\n\nCodes each utterance of a visit by the codebook msw 1.0 …\n"
_PAGE = '<!doctype html>\n<html lang="en-GB">…</html>\n'


def answers(story: Story, examples: dict[str, JsonValue]) -> dict[str, dict[str, Json]]:
    """Route → media type → schema and example. JSON has no schema here: the route itself names its values."""
    types = representations.MEDIA_TYPES
    scored = story.session()
    silent = results.without_scores(scored)

    def written(part: str, suffix: str) -> Json:
        """As the route itself would write it."""
        session = silent if part == "transcript" else scored
        return _text(representations.render(part, suffix, session, story.book).content.decode())

    return {
        "metrics": {"text/plain": _text(_METRICS)},
        "model_card": {"text/markdown": _text(_CARD)},
        "group_report": {"text/html": _text(_PAGE)},
        "agreement": {"application/json": {"example": examples["Report"]}, "text/html": _text(_PAGE)},
        "audio": {"audio/*": _BINARY, "application/octet-stream": _BINARY},
        "part_of_session": {
            "application/json": _named(
                {"ratings.json": examples["Scores"], "transcript.json": silent.model_dump(mode="json")}
            ),
            types["vtt"]: written("transcript", "vtt"),
            types["srt"]: written("transcript", "srt"),
            types["csv"]: written("utterances", "csv"),
            types["html"]: _text(_PAGE),
            **{types[suffix]: _BINARY for suffix in ("docx", "xlsx", "eaf")},
            types["textgrid"]: _text('File type = "ooTextFile"\nObject class = "TextGrid"\n…\n'),
        },
        "transcribe": {
            "application/json": _named({"json": examples["SpokenText"], "verbose_json": examples["SpokenDetail"]}),
            "text/plain": _text(scored.utterances[0].utterance.text + "\n"),
            types["srt"]: written("transcript", "srt"),
            types["vtt"]: written("transcript", "vtt"),
        },
    }


def _text(example: str) -> Json:
    return {"schema": {"type": "string"}, "example": example}


def _named(examples: dict[str, JsonValue]) -> Json:
    return {"examples": {name: {"value": value} for name, value in examples.items()}}
