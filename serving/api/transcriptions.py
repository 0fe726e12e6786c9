"""/v1/audio/transcriptions, as OpenAI's clients expect it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import JsonValue

from msw_ml.session import ScoredSession
from serving import representations, transcriptions
from serving.dependencies import At, Who
from serving.permissions import May

router = APIRouter(prefix="/audio", tags=["transcriptions"])
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "model": {
                            "type": "string",
                            "description": "Taken and not used: the service's own engine hears.",
                        },
                        "language": {"type": "string"},
                        "response_format": {"type": "string", "enum": list(transcriptions.FORMATS), "default": "json"},
                        "speakers": {"type": "integer", "minimum": 1, "maximum": 12},
                    },
                },
                "example": {"file": "(the file)", "model": "whisper-1", "response_format": "verbose_json"},
            }
        },
    }
}


@router.post("/transcriptions", openapi_extra=_BODY)
async def transcribe(request: Request, at: At, who: Who) -> Response:
    """The words of a recording in one of json, verbose_json, text, srt, vtt. Nothing is kept."""
    who.must(May.UPLOAD)
    asked, session = await transcriptions.transcribe(request, at, who)
    text = " ".join(unit.utterance.text for unit in session.utterances)
    match asked.response_format:
        case "text":
            return PlainTextResponse(text + "\n")
        case "json":
            return JSONResponse({"text": text})
        case "verbose_json":
            return JSONResponse(_verbose(session, text, at.scoring.language))
    made = representations.render("transcript", asked.response_format, session, at.codebook)
    return Response(made.content, media_type=made.media_type)


def _verbose(session: ScoredSession, text: str, language: str) -> dict[str, JsonValue]:
    segments: list[JsonValue] = []
    words: list[JsonValue] = []
    for unit in session.utterances:
        said = unit.utterance
        segments.append(
            {
                "id": said.id,
                "seek": 0,
                "start": said.start,
                "end": said.end,
                "text": said.text,
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": 0.0,
                "compression_ratio": 0.0,
                "no_speech_prob": 0.0,
                "speaker": said.speaker,
            }
        )
        words += [{"word": word.text.strip(), "start": word.start, "end": word.end} for word in said.words]
    duration = session.recording.duration
    about: dict[str, JsonValue] = {"task": "transcribe", "language": language, "duration": duration, "text": text}
    return {**about, "segments": segments, "words": words}
