"""Coders' files of every kind become the same codings; what cannot be understood is named to the cell."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from evaluation.reading.files import ReadOptions, batches, read
from msw_ml import codebook
from msw_ml.errors import BadSetting, InputError, MalformedTranscript, UnreadableInput
from msw_ml.session import (
    CodedUtterance,
    Provenance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)

BOOK = codebook.load("msw")

ANNA = "session,unit,code\nv1,1,question_open\nv1,2,change\nv1,3,Simple reflection\n"
BEN = "session,unit,code\nv1,1,question_closed\nv1,2,change\nv1,3,reflection_simple\n"


def write(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, text in files.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def test_a_file_a_coder_named_after_the_file(tmp_path: Path) -> None:
    found = read(write(tmp_path, anna=ANNA, ben=BEN), BOOK)
    assert [coder.name for coder in found.coders] == ["anna", "ben"]
    assert [(c.code, c.parent) for c in found.codings if c.coder == "anna"] == [
        ("question_open", "question"), ("change", "change"), ("reflection_simple", "reflection"),
    ]  # fmt: skip


def test_wide_codes_have_a_column_a_coder(tmp_path: Path) -> None:
    found = read(write(tmp_path, both="session,unit,Anna,Ben\nv1,1,confront,persuade\nv1,2,change,\n"), BOOK)
    assert {(c.coder, c.unit, c.code) for c in found.codings} == {
        ("Anna", "1", "confront"), ("Ben", "1", "persuade"), ("Anna", "2", "change"),
    }  # fmt: skip
    assert found.left_out["unit without a code"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "session,coder,element,rating\nv1,Anna,empathy,4\nv1,Ben,Empathy,3\n",
        "session,coder,empathy\nv1,Anna,4\nv1,Ben,3\n",
        "session,element,Anna,Ben\nv1,empathy,4,3\n",
    ],
)
def test_ratings_long_or_wide(tmp_path: Path, text: str) -> None:
    found = read(write(tmp_path, ratings=text), BOOK)
    assert [(r.coder, r.element, r.value) for r in found.ratings] == [("Anna", "empathy", 4.0), ("Ben", "empathy", 3.0)]


def test_a_main_category_is_kept_apart_from_a_code(tmp_path: Path) -> None:
    """A coder who only told main categories apart gave no code, not the code of the same name."""
    text = "session,unit,coder,parent_code\nv1,1,A,other\nv1,1,B,question\n"
    assert [(c.code, c.parent) for c in read(write(tmp_path, x=text), BOOK).codings] == [
        (None, "other"), (None, "question"),
    ]  # fmt: skip


def test_several_kinds_of_file_in_one_call(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in (("session", "unit", "coder", "code"), ("v1", 1, "Carys", "affirm"), ("v1", 2.0, "Carys", "neutral")):
        sheet.append(row)
    workbook.save(tmp_path / "carys.xlsx")
    eaf(tmp_path / "v1.eaf", {"code@Dilip": [(0, 2, "affirm")], "Utterances": [(0, 2, "that took some doing")]})
    found = read([*write(tmp_path, anna=ANNA), tmp_path / "carys.xlsx", tmp_path / "v1.eaf"], BOOK)
    assert [coder.name for coder in found.coders] == ["Carys", "Dilip", "anna"]
    assert [c.unit for c in found.codings if c.coder == "Carys"] == ["1", "2"]


def test_every_coder_has_tiers_in_elan(tmp_path: Path) -> None:
    tiers = {
        "Anna": [(0, 2, "question_open"), (2, 5, "change")],
        "code Ben": [(0, 2, "Open question"), (2, 4, "neutral")],
    }
    eaf(tmp_path / "v7.eaf", tiers)
    found = read([tmp_path / "v7.eaf"], BOOK)
    assert {(c.coder, c.session, c.start, c.end, c.code) for c in found.codings} >= {
        ("Anna", "v7", 0.0, 2.0, "question_open"), ("Ben", "v7", 2.0, 4.0, "neutral"),
    }  # fmt: skip


def test_another_scheme_through_its_mapping(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        f'codebook = "{BOOK.key}"\n[columns]\nsession = "conv"\nunit = "nr"\nspeaker = "who"\nannotator = "by"\n'
        '[speakers]\ndoc = "worker"\n[[label]]\nwhen = { tag = "OQ" }\ncodes = ["question_open"]\n'
        '[[label]]\nwhen = { tag = "R" }\ncodes = ["reflection_simple", "reflection_complex"]\n'
        '[[label]]\nwhen = { tag = "X" }\ncodes = ["affirm", "confront"]\n'
    )
    text = "conv,nr,who,by,tag\na,1,doc,1,OQ\na,1,doc,2,R\na,2,doc,1,X\na,3,doc,1,\n"
    found = read(write(tmp_path, other=text), BOOK, ReadOptions(mapping=mapping))
    assert [(c.coder, c.code, c.parent) for c in found.codings] == [
        ("annotator 1", "question_open", "question"), ("annotator 2", None, "reflection"),
    ]  # fmt: skip
    assert found.left_out == {
        "label that fits several main categories": 1, "row without a label of the mapping": 1,
    }  # fmt: skip


def test_a_mapping_for_another_codebook_is_refused(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'codebook = "msw 0.1"\n[columns]\n[speakers]\n[[label]]\nwhen = { tag = "A" }\ncodes = ["affirm"]\n'
    )
    with pytest.raises(BadSetting, match=r"codebook msw 0\.1, this is msw 1\.0"):
        read(write(tmp_path, anna=ANNA), BOOK, ReadOptions(mapping=mapping))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "session,unit,coder,code\nv1,1,A,question_opn\n",
            r"row 2, column 'code' is 'question_opn'.*did you mean 'question_open'",
        ),
        ("session,coder,element,rating\nv1,A,empathy,6\n", r"row 2, column 'rating' is 6, but ratings run from 1 to 5"),
        ("session,coder,element,rating\nv1,A,empathie,4\n", r"row 2, column 'element' is 'empathie', no element"),
        (
            "session,coder,element,rating\nv1,A,empathy,four\n",
            r"row 2, column 'rating' is 'four', which is not a number",
        ),
        ("session,unit,coder,code\n,1,A,affirm\n", r"row 2, column 'session' is empty"),
        ("session,unit,coder,code\nv1,1,,affirm\n", r"row 2, column 'coder' is empty"),
        ("session,code\nv1,affirm\n", r"no column that numbers the units"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MalformedTranscript, match=message):
        read(write(tmp_path, bad=text), BOOK)


def test_a_date_that_excel_made_of_an_id_is_named(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Codes"
    sheet.append(("session", "unit", "coder", "code"))
    sheet.append((dt.date(2026, 4, 3), 1, "A", "affirm"))
    workbook.save(tmp_path / "codes.xlsx")
    with pytest.raises(
        MalformedTranscript, match=r"codes.xlsx, sheet 'Codes', row 2, column 'session' is the date 2026-04-03"
    ):
        read([tmp_path / "codes.xlsx"], BOOK)


def test_one_coder_cannot_agree(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"only one coder was found, 'anna'"):
        read(write(tmp_path, anna=ANNA), BOOK)


def test_coders_without_a_common_session(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no session was coded by two coders.*anna: v1; ben: v2"):
        read(write(tmp_path, anna=ANNA, ben=BEN.replace("v1", "v2")), BOOK)


def test_all_codes_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="every code is missing"):
        read(write(tmp_path, a="session,unit,coder,code\nv1,1,A,\nv1,1,B,\n"), BOOK)


def test_rows_that_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"row 5: coder 'anna' has '1' of session 'v1' a second time and differently \(first in row 2\)",
    ):
        read(write(tmp_path, anna=ANNA + "v1,1,affirm\n", ben=BEN), BOOK)


def test_rows_repeated_word_for_word_are_counted(tmp_path: Path) -> None:
    found = read(write(tmp_path, anna=ANNA + "v1,1,question_open\n", ben=BEN), BOOK)
    assert found.left_out == {"row repeated word for word": 1}
    assert len(found.codings) == 6


def test_two_files_for_one_coder_and_session(tmp_path: Path) -> None:
    one = "session,unit,coder,code\nv1,1,Anna,affirm\n"
    with pytest.raises(InputError, match=r"'Anna' stands with session 'v1' in two files"):
        read(write(tmp_path, first=one, second=one, ben=BEN), BOOK)


def test_one_coder_may_have_a_file_a_session(tmp_path: Path) -> None:
    files = write(
        tmp_path,
        a1="session,unit,coder,code\nv1,1,Anna,affirm\n",
        a2="session,unit,coder,code\nv2,1,Anna,affirm\n",
        ben=BEN,
    )
    assert {coder.name for coder in read(files, BOOK).coders} == {"Anna", "ben"}


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="there is nothing to read"):
        batches([tmp_path], BOOK)


def eaf(path: Path, tiers: dict[str, list[tuple[float, float, str]]]) -> None:
    """A small ELAN file."""
    slots, body, number = [], [], 0
    for tier, spans in tiers.items():
        annotations = []
        for start, end, value in spans:
            number += 1
            ends = f"t{2 * number}", f"t{2 * number + 1}"
            slots += [
                f'<TIME_SLOT TIME_SLOT_ID="{s}" TIME_VALUE="{int(1000 * t)}"/>'
                for s, t in zip(ends, (start, end), strict=True)
            ]
            annotations.append(
                f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" TIME_SLOT_REF1="{ends[0]}" '
                f'TIME_SLOT_REF2="{ends[1]}"><ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>'
            )
        body.append(f'<TIER TIER_ID="{tier}" LINGUISTIC_TYPE_REF="default">{"".join(annotations)}</TIER>')
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT><TIME_ORDER>{"".join(slots)}</TIME_ORDER>'
        f"{''.join(body)}</ANNOTATION_DOCUMENT>",
        encoding="utf-8",
    )


def scored(folder: Path, name: str, source: str, version: str = "1.0", coder: str = "coder 1") -> Path:
    """An output of ours with one coded question."""
    session = ScoredSession(
        recording=Recording(name=name, source=source, sha256="0", kind="transcript"),
        roles=RoleChoice(roles={"SW": Role.WORKER}, margin=1, method="given"),
        quality=Quality(),
        utterances=(
            CodedUtterance(
                utterance=Utterance(id=1, speaker="SW", text="And school?", role=Role.WORKER),
                code="question_closed",
                parent_code="question",
            ),
        ),
        measures=(),
        ratings=(Rating(element="empathy", status=RatingStatus.WITHHELD, reason="too little speech"),),
        provenance=Provenance(
            msw_ml="0",
            codebook="msw",
            codebook_version=version,
            engines={"coder": coder, "rater": "rater 1"},
            settings={},
        ),
    )
    path = folder / "scores" / name / "session.json"
    path.parent.mkdir(parents=True)
    path.write_text(session.model_dump_json())
    return folder / "scores"


def test_our_own_output_is_the_machine(tmp_path: Path) -> None:
    found = read([*write(tmp_path, anna=ANNA), scored(tmp_path, "v1", "v1.csv")], BOOK)
    assert found.machine is not None
    assert (found.machine.coder_label, found.machine.rater_label) == ("coder 1", "rater 1")
    assert found.left_out["rating withheld by the machine"] == 1


def test_a_status_beside_an_element_is_read_with_its_rating(tmp_path: Path) -> None:
    """`sessions.csv` tells it so; a person's table has none."""
    text = "session,coder,empathy,empathy_status\nv1,robot,4,indicative\nv1,Ben,3,\n"
    found = read(write(tmp_path, ratings=text), BOOK)
    assert [(r.coder, r.status) for r in found.ratings] == [("robot", RatingStatus.INDICATIVE), ("Ben", None)]


def test_a_session_of_a_file_of_many_is_known_by_its_own_name(tmp_path: Path) -> None:
    """`msw score visits.csv` names the folder visits-v1; coders call the session v1."""
    found = read([*write(tmp_path, anna=ANNA), scored(tmp_path, "visits-v1", "visits.csv")], BOOK)
    assert {c.session for c in found.codings} == {"v1"}


def test_another_version_of_the_codebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"v1/session.json was scored by codebook msw 0\.9, this is msw 1\.0"):
        read([*write(tmp_path, anna=ANNA), scored(tmp_path, "v1", "v1.csv", version="0.9")], BOOK)


def test_scores_of_two_engines_are_not_one_machine(tmp_path: Path) -> None:
    scored(tmp_path, "v1", "v1.csv")
    scored(tmp_path, "v2", "v2.csv", coder="coder 2")
    with pytest.raises(InputError, match="come from two different engines, 'coder 1' and 'coder 2'"):
        read([*write(tmp_path, anna=ANNA), tmp_path / "scores"], BOOK)


def test_cacti_exports_one_a_coder(tmp_path: Path) -> None:
    """Start, code number and code a line; two coders' files in folders named after them."""
    mapping = tmp_path / "misc.toml"
    rules = {"OQ": "question_open", "C+": "change", "C-": "sustain"}
    mapping.write_text(
        f'codebook = "{BOOK.key}"\n[columns]\n[speakers]\n'
        + "".join(f'[[label]]\nwhen = {{ code = "{label}" }}\ncodes = ["{code}"]\n' for label, code in rules.items())
    )
    for coder, last in (("anna", "C+"), ("ben", "C-")):
        (tmp_path / coder).mkdir()
        (tmp_path / coder / "v1.casaa").write_text(f"Audio File:\tv1.wav\n00:00:01\t1\tOQ\n00:00:05\t2\t{last}\n")
    found = read([tmp_path / "anna", tmp_path / "ben"], BOOK, ReadOptions(mapping=mapping))
    assert {(c.coder, c.session, c.start, c.code) for c in found.codings} == {
        ("anna", "v1", 1.0, "question_open"), ("anna", "v1", 5.0, "change"),
        ("ben", "v1", 1.0, "question_open"), ("ben", "v1", 5.0, "sustain"),
    }  # fmt: skip
