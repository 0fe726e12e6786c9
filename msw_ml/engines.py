"""Names → engines: the only file that knows them all, and imports one only when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msw_ml import bundle, codebook
from msw_ml.codebook import Codebook
from msw_ml.coding.coder import BehaviourCoder, BundleCoder
from msw_ml.errors import BadSetting, UnknownName
from msw_ml.pipeline import Pipeline
from msw_ml.rating.rater import BundleRater, Rater
from msw_ml.rating.release import ReleaseGate
from msw_ml.settings import Settings
from msw_ml.speech.listen import Diariser, Listener, RoleFinder, Transcriber


def _whisper(settings: Settings) -> Transcriber:
    from msw_ml.speech.whisper import WhisperTranscriber

    return WhisperTranscriber(
        settings.whisper_model, device=settings.device, language=settings.language, threads=settings.threads
    )


def _voices(settings: Settings) -> Diariser:
    from msw_ml.speech.voices import VoicesDiariser

    return VoicesDiariser(settings.speaker_encoder or bundle.shipped("speaker_encoder"), threads=settings.threads)


def _pyannote(settings: Settings) -> Diariser:
    from msw_ml.speech.pyannote import PyannoteDiariser

    if settings.pyannote_model is None:
        raise BadSetting("the diariser 'pyannote' needs MSW_PYANNOTE_MODEL: a folder or the hub name of a pipeline")
    token = settings.pyannote_token
    return PyannoteDiariser(
        settings.pyannote_model,
        token=token.get_secret_value() if token else None,
        device=settings.device,
        trusted=settings.pyannote_trusted,
    )


TRANSCRIBERS: dict[str, Callable[[Settings], Transcriber]] = {"whisper": _whisper}
DIARISERS: dict[str, Callable[[Settings], Diariser]] = {"voices": _voices, "pyannote": _pyannote}


def transcriber(settings: Settings) -> Transcriber:
    """The chosen transcriber; weights load on first use."""
    if settings.transcriber not in TRANSCRIBERS:
        raise UnknownName("transcriber", settings.transcriber, TRANSCRIBERS)
    return TRANSCRIBERS[settings.transcriber](settings)


def diariser(settings: Settings) -> Diariser:
    """The chosen diariser; weights load on first use."""
    if settings.diariser not in DIARISERS:
        raise UnknownName("diariser", settings.diariser, DIARISERS)
    return DIARISERS[settings.diariser](settings)


def role_finder(settings: Settings) -> RoleFinder:
    """Tells worker from parent."""
    from msw_ml.speech.roles import TrainedRoleFinder

    return TrainedRoleFinder(settings.role_finder or bundle.shipped("role_finder"))


def coder(settings: Settings, book: Codebook) -> BehaviourCoder:
    """Codes utterances by the codebook in force."""
    return BundleCoder(settings.behaviour_coder or bundle.shipped("behaviour_coder"), book, threads=settings.threads)


def rater(settings: Settings, book: Codebook) -> Rater:
    """Rates sessions on the elements of the codebook in force."""
    return BundleRater(settings.session_rater or bundle.shipped("session_rater"), book)


def pipeline(settings: Settings) -> Pipeline:
    """The whole corridor as set. Raises `SetupError` or `ModelError` before any long work."""
    book = codebook.load(settings.codebook)
    return Pipeline(
        Listener(transcriber(settings), diariser(settings), role_finder(settings)),
        book,
        coder(settings, book),
        rater(settings, book),
        ReleaseGate(_existing(settings.release_file), book),
    )


def labels(line: Pipeline) -> dict[str, str]:
    """Stage → engine with its fingerprint: with the input and the options they decide the result."""
    return {
        "transcriber": line.listener.transcriber.label,
        "diariser": line.listener.diariser.label,
        "roles": line.listener.roles.label,
        "coder": line.coder.label,
        "rater": line.rater.label,
        "release": line.gate.label,
        "codebook": line.codebook.key,
    }


def _existing(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise BadSetting(f"the release file {path} is not there; correct MSW_RELEASE_FILE or unset it")
    return path
