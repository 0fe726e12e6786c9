"""One tree of errors; every message says what is wrong, where, and what to do.

    MswError
    ├── InputError                 something about a file that was handed in
    │   ├── UnreadableInput        empty, truncated, protected, no permission, not what its name says
    │   ├── UnknownFormat          no reader for it
    │   ├── MalformedTranscript    file, row and column that could not be understood
    │   └── NoSpeech               sound without speech in it
    ├── EngineError                an engine failed on an input that could be read
    │   ├── TranscriptionFailed
    │   ├── DiarisationFailed
    │   ├── CodingFailed
    │   └── RatingFailed
    ├── ModelError                 something about weights or a bundle
    │   ├── ModelNotFound
    │   ├── WrongHash
    │   └── CodebookMismatch
    ├── SetupError                 something about this installation or its configuration
    │   ├── UnknownName            an engine, format or codebook that does not exist; lists those that do
    │   ├── MissingExtra           a package that an optional part needs
    │   ├── BadCodebook
    │   └── BadSetting
    └── OutputError                the result could not be written (disk full, no permission)

No message carries speech. `InputError`, `EngineError` and `OutputError` concern one recording: the
rest of a batch goes on. The others stop the run before any long work.
"""

from __future__ import annotations

from collections.abc import Iterable


class MswError(Exception):
    """Root of all errors that msw_ml raises on purpose; its text is for the user."""


class InputError(MswError):
    """A file that was handed in cannot be used."""


class UnreadableInput(InputError):
    """Empty, truncated, protected, without permission, or not what its name says."""


class UnknownFormat(InputError):
    """No reader for this kind of file."""


class MalformedTranscript(InputError):
    """A transcript that breaks its format; the message names row and column."""


class NoSpeech(InputError):
    """The recording holds no speech."""


class EngineError(MswError):
    """An engine failed on an input that could be read."""


class TranscriptionFailed(EngineError):
    """No words could be made from the sound."""


class DiarisationFailed(EngineError):
    """No turns could be made from the sound."""


class CodingFailed(EngineError):
    """The utterances could not be coded."""


class RatingFailed(EngineError):
    """The session could not be rated."""


class ModelError(MswError):
    """Something about weights or a bundle."""


class ModelNotFound(ModelError):
    """The weights are not on this machine."""


class WrongHash(ModelError):
    """The weights are not those they claim to be."""


class CodebookMismatch(ModelError):
    """A bundle was trained on another codebook or another version of it."""


class SetupError(MswError):
    """Something about this installation or its configuration."""


class UnknownName(SetupError):
    """A name that nothing here goes by."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"no {kind} is called '{name}'; there are: {', '.join(sorted(known))}")


class MissingExtra(SetupError):
    """An optional part needs packages that are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra '{extra}'; in the folder of README.md: pip install '.[{extra}]'")


class BadCodebook(SetupError):
    """A codebook file that contradicts itself."""


class BadSetting(SetupError):
    """A setting or option that makes no sense."""


class OutputError(MswError):
    """The result could not be written."""
