"""Refuses at once the transcripts that are made to do harm, which a job would refuse only later.

Word and Excel files are zips of XML, ELAN files are XML: a small one can unpack to gigabytes, or name other
files. Only that is looked at here; whether a transcript can be used is for the job to say.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from msw_ml.errors import UnreadableInput
from msw_ml.formats.office import open_checked
from serving.store.objects import Objects

_OFFICE = {".docx": ("word/document.xml", "Word (.docx)"), ".xlsx": ("xl/workbook.xml", "Excel (.xlsx)")}
_XML = frozenset({".eaf"})


def check(objects: Objects, key: str, source: str) -> None:
    """Raises `UnreadableInput` for a bomb, and for XML that declares entities."""
    suffix = PurePosixPath(source).suffix.lower()
    if suffix not in _OFFICE and suffix not in _XML:
        return
    with objects.local_copy(key, source) as path:
        if suffix in _OFFICE:
            open_checked(path, *_OFFICE[suffix])
        else:
            _check_prologue(path)


def _check_prologue(path: Path) -> None:
    """Up to the root element: XML declares its entities before it or nowhere."""
    try:
        with path.open("rb") as file:
            next(iter(iterparse(file, events=("start",), forbid_dtd=True)), None)
    except DefusedXmlException as error:
        raise UnreadableInput(f"{path.name} declares entities, which no ELAN file does; it was not opened") from error
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableInput(f"{path.name} is not XML ({error}); open it in ELAN and save it again") from error
