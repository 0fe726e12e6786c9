"""As `msw agree`, the service's reliability report leaves out what a rater says of visits that it learned from."""

from __future__ import annotations

import pytest

from msw_ml import bundle
from msw_ml.formats.session_json import session_json
from msw_ml.rating.learned import LEARNED, mark
from msw_ml.settings import Settings
from serving import results
from serving.results import MACHINE, Version, advance
from serving.store.sessions import SessionRow


def rated_by(service, scored: str, folder, learned: bool) -> None:
    """The session as a fine-tuned rater scored it; the service has that rater set."""
    with service.begin() as db:
        row = db.get_one(SessionRow, scored)
        session = results.machine(service, db, row, row.version)
        marks = [mark(session.recording.sha256)] if learned else ["0" * 15 + "1"]
        info = bundle.BundleInfo(
            name="session_rater", version="9.0+own", kind="session_rater", codebook=service.codebook.key,
            licence="Apache-2.0", parameters={LEARNED: marks},
        )  # fmt: skip
        rater = bundle.write(folder / "session_rater", info, {})
        engines = session.provenance.engines | {"rater": rater.label}
        provenance = session.provenance.model_copy(update={"engines": engines})
        version = Version(service.objects, row.id, advance(db, row, row.version))
        text = session_json(session.model_copy(update={"provenance": provenance}))
        version.add(db, MACHINE, text)
        row.version = version.number
    service.scoring = Settings(session_rater=rater.path)


@pytest.mark.parametrize("learned", [True, False])
def test_ratings_of_learned_sessions_are_left_out_and_counted(client, service, people, scored, tmp_path, learned):
    """The warnings say how many; the reliability page shows this very report."""
    rated_by(service, scored, tmp_path, learned)
    for coder in ("coder", "coder2"):
        headers = people.as_(coder)
        review = client.post("/v1/reviews", json={"session": scored}, headers=headers).json()["id"]
        body = {"codes": {0: "question_open", 2: "reflection_simple"}, "ratings": {"empathy": 4}}
        assert client.put(f"/v1/reviews/{review}", json=body, headers=headers).status_code == 200
        assert client.post(f"/v1/reviews/{review}/submit", headers=headers).status_code == 200
    answer = client.post("/v1/agreement", json={"sessions": [scored]}, headers=people.as_("coach"))
    assert answer.status_code == 200, answer.text
    report = answer.json()
    machine = next(coder for coder in report["coders"] if coder["is_machine"])
    assert machine["ratings"] == (0 if learned else len(service.codebook.elements))
    assert any("its rater learned from" in warning for warning in report["warnings"]) == learned
    assert machine["units"] == 5, "its codes stay: no coder learned from these visits"
