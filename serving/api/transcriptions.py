"""/v1/audio/transcriptions, as OpenAI's clients expect it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from msw_ml.session import ScoredSession
from serving import representations, transcriptions
from serving.dependencies import At, Who
from serving.permissions import May
from serving.wire import Wire

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
                        "file": {"type": "string", "format": "binary", "description": "Sound or video."},
                        "model": {
                            "type": "string",
                            "description": "Taken and not used: the service's own engine hears.",
                        },
                        "language": {
                            "type": "string",
                            "description": "The service's own language, e.g. `en`; another is refused.",
                        },
                        "response_format": {"type": "string", "enum": list(transcriptions.FORMATS), "default": "json"},
                        "speakers": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 12,
                            "description": "How many people speak, where that is known.",
                        },
                    },
                },
                "example": {"file": "(the sound)", "model": "whisper-1", "response_format": "verbose_json"},
            }
        },
    }
}


class SpokenText(Wire):
    """`json`: the words alone."""

    text: str


class SpokenSegment(Wire):
    """An utterance. What this service does not know of OpenAI's fields is 0 or empty."""

    id: int
    seek: int = 0
    start: float | None
    end: float | None
    text: str
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 0.0
    no_speech_prob: float = 0.0
    speaker: str


class SpokenWord(Wire):
    """A word with its time."""

    word: str
    start: float
    end: float


class SpokenDetail(Wire):
    """`verbose_json`: the words with times and speakers."""

    task: str = "transcribe"
    language: str
    duration: float | None
    text: str
    segments: tuple[SpokenSegment, ...]
    words: tuple[SpokenWord, ...]

    @classmethod
    def of(cls, session: ScoredSession, text: str, language: str) -> SpokenDetail:
        said = [unit.utterance for unit in session.utterances]
        return cls(
            language=language,
            duration=session.recording.duration,
            text=text,
            segments=tuple(
                SpokenSegment(id=one.id, start=one.start, end=one.end, text=one.text, speaker=one.speaker)
                for one in said
            ),
            words=tuple(
                SpokenWord(word=word.text.strip(), start=word.start, end=word.end) for one in said for word in one.words
            ),
        )


@router.post("/transcriptions", openapi_extra=_BODY, responses={200: {"model": SpokenText | SpokenDetail}})
async def transcribe(request: Request, at: At, who: Who) -> Response:
    """The words of a recording in one of json, verbose_json, text, srt, vtt. Nothing is kept."""
    who.must(May.UPLOAD)
    asked, session = await transcriptions.transcribe(request, at, who)
    text = " ".join(unit.utterance.text for unit in session.utterances)
    match asked.response_format:
        case "text":
            return PlainTextResponse(text + "\n")
        case "json":
            return _json(SpokenText(text=text))
        case "verbose_json":
            return _json(SpokenDetail.of(session, text, at.scoring.language))
    made = representations.render("transcript", asked.response_format, session, at.codebook)
    return Response(made.content, media_type=made.media_type)


def _json(value: Wire) -> Response:
    return Response(value.model_dump_json(), media_type="application/json")
