"""All routes by name: what they do in a line, who may call them, and what can go wrong beside the usual.

A route that is missing here fails a test, and so does one whose roles are not those that it lets in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from serving.permissions import May, roles_that_may
from serving.problems import not_found
from serving.store.people import PersonRole

_EVERYBODY = tuple(PersonRole)
_ALL_BUT_MANAGERS = tuple(role for role in PersonRole if role is not PersonRole.MANAGER)
_READERS = roles_that_may(May.CORRECT)

_CUT_OFF = "the upload was cut off; send it again"
_TOO_LARGE = "this is larger than 4096 MB; export the sound alone, or as m4a"
_NOT_OURS = "what is in this file is not what its ending .m4a says; save it again"
_CHANGED = "somebody has changed this session since you looked at it; look again"
_SUBMITTED = "this review was submitted and stays as it is"
_STILL_OPEN = "this review is still being coded; the comparison opens once it is submitted"
_NO_SESSION = not_found("session").detail
_NO_RESULT = "this session has no result yet: it is waiting"
_WORDS_ERASED = "what was said in this session was erased when its time ran out"
_SOUND_ERASED = "this recording was erased when its time ran out"
_BLIND = "coders see the scores of a session once they have submitted their own review of it"
_NOT_READ = "you handed this session in; what is in it is for its worker, coders and coaches"


@dataclass(frozen=True)
class Route:
    """What is said of a route beside its parameters and answers."""

    title: str
    allowed: May | tuple[PersonRole, ...] = _EVERYBODY
    """What a role must allow; or the roles that can get an answer, where the route itself asks for none."""
    who: str = ""
    """What is asked of them beside the role."""
    problems: dict[int, str] = field(default_factory=dict)
    """Status → an example of its `detail`, beside the usual ones."""
    headers: dict[str, str] = field(default_factory=dict)
    """Header of the answer → what it says."""
    is_open: bool = False
    """Answers without a token."""

    @property
    def roles(self) -> tuple[PersonRole, ...]:
        return roles_that_may(self.allowed) if isinstance(self.allowed, May) else self.allowed


_OWN_VISIT = "Workers read what is in their own sessions, whatever their role."
_SEES_SCORES = (
    "Coders after they have submitted their own review; workers their own sessions, whatever their role; "
    "nobody while they are coding the session blind."
)
_ORGANISATION = "Of their own organisation."
_JOB_OWNER = "Whoever started it, coaches and administrators."

ROUTES: dict[str, Route] = {
    "alive": Route("The process answers", is_open=True),
    "ready": Route(
        "Database, storage and models are ready",
        is_open=True,
        problems={503: "a model is missing or damaged; `msw models verify` says which"},
    ),
    "metrics": Route("Prometheus metrics", May.ADMINISTER, "Holds counts and times, nothing of a session."),
    "upload": Route(
        "Hand in a recording or a transcript",
        May.UPLOAD,
        problems={400: _CUT_OFF, 413: _TOO_LARGE, 415: _NOT_OURS},
        headers={
            "Location": "The job's address.",
            "Retry-After": "Seconds until it is worth looking at the job.",
        },
    ),
    "list_sessions": Route(
        "List sessions", who="Everybody sees those that they may know of; managers none but their own."
    ),
    "get_session": Route("Look at a session", _ALL_BUT_MANAGERS),
    "erase": Route("Erase a session", May.ERASE),
    "correct": Route(
        "Correct roles, speakers, text or codes",
        May.CORRECT,
        "Codes only where they may see the scores.",
        {403: _BLIND, 409: _CHANGED, 410: _WORDS_ERASED},
    ),
    "open_review": Route(
        "Begin a review",
        May.REVIEW,
        problems={404: _NO_SESSION, 409: "this session has nothing to code yet: it is waiting", 410: _WORDS_ERASED},
        headers={"Location": "The review's address."},
    ),
    "list_reviews": Route("List a session's reviews", _ALL_BUT_MANAGERS),
    "get_review": Route("Look at a review", _READERS, "Those of others once both are submitted."),
    "save_review": Route(
        "Save codes and ratings",
        _READERS,
        "Only the review's own coder.",
        {403: "only its coder changes a review", 409: _SUBMITTED},
    ),
    "get_units": Route("The utterances to code", _READERS, "Those of one's own review."),
    "submit_review": Route(
        "Submit a review",
        _READERS,
        "Only the review's own coder.",
        {403: "only its coder submits a review", 409: _SUBMITTED},
    ),
    "compare": Route("Compare machine and coder", _READERS, _SEES_SCORES, {403: _BLIND, 409: _STILL_OPEN}),
    "adjudicate": Route("Agree on a value", May.ADJUDICATE, problems={409: _STILL_OPEN}),
    "agreement": Route(
        "Agreement between coders and with the machine", May.COMPARE, _SEES_SCORES, {403: _BLIND, 404: _NO_SESSION}
    ),
    "list_receipts": Route("List receipts of erasures", May.ADMINISTER, _ORGANISATION),
    "comment": Route("Comment on a score, or contest it", _READERS, _SEES_SCORES, {403: _BLIND}),
    "list_comments": Route("List comments", _READERS, _SEES_SCORES, {403: _BLIND}),
    "audio": Route(
        "The recording",
        _READERS,
        _OWN_VISIT,
        {403: _NOT_READ, 410: _SOUND_ERASED, 416: "this range lies outside the recording"},
    ),
    "peaks": Route("The waveform to draw", _READERS, _OWN_VISIT, {403: _NOT_READ, 410: _SOUND_ERASED}),
    "list_corrections": Route("List corrections", _READERS, _OWN_VISIT, {403: _NOT_READ}),
    "part_of_session": Route(
        "Transcript, coded utterances, ratings or report",
        _READERS,
        "The transcript: workers their own, too. The rest: " + _SEES_SCORES[0].lower() + _SEES_SCORES[1:],
        {
            403: _BLIND,
            406: "the ratings comes as application/json, text/csv",
            409: _NO_RESULT,
            410: "the scores of this session were erased when their time ran out",
        },
        {"ETag": "Changes with the session's version."},
    ),
    "list_jobs": Route("List jobs", who="Everybody sees those that they may know of."),
    "get_job": Route("Look at a job", _ALL_BUT_MANAGERS),
    "cancel_job": Route(
        "Stop a job",
        _ALL_BUT_MANAGERS,
        _JOB_OWNER,
        {403: "this job was started by somebody else; ask them, your coach or an administrator"},
    ),
    "retry_job": Route(
        "Take a failed job up again",
        _ALL_BUT_MANAGERS,
        _JOB_OWNER,
        {
            403: "this job was started by somebody else; ask them, your coach or an administrator",
            409: "only a failed job can be taken up again; this one is running",
        },
    ),
    "list_models": Route("Models and engines"),
    "model_card": Route("A model's card"),
    "group_report": Route(
        "Figures of groups",
        May.SEE_GROUPS,
        "Nobody sees figures of fewer than five workers.",
        {409: "figures are shown of groups of at least 5 workers; there are fewer yet"},
    ),
    "transcribe": Route(
        "Transcribe a recording at once",
        May.UPLOAD,
        problems={
            400: _CUT_OFF,
            413: _TOO_LARGE,
            415: _NOT_OURS,
            503: "this took too long; upload it to /v1/sessions instead",
        },
    ),
    "list_webhooks": Route("List webhooks", May.ADMINISTER, _ORGANISATION),
    "add_webhook": Route("Add a webhook", May.ADMINISTER, _ORGANISATION),
    "remove_webhook": Route("Remove a webhook", May.ADMINISTER, _ORGANISATION),
    "me": Route("Who is asking"),
    "list_people": Route("List people", May.ADMINISTER, _ORGANISATION),
    "add_person": Route("Add somebody", May.ADMINISTER, _ORGANISATION, {409: "somebody has this sign-in name already"}),
    "change_person": Route(
        "Change somebody's role, team or access",
        May.ADMINISTER,
        _ORGANISATION,
        {409: "you cannot take your own administration away; ask another administrator"},
    ),
    "list_teams": Route("List teams", who="Administrators all of their organisation's; everybody else their own."),
    "add_team": Route("Add a team", May.ADMINISTER, _ORGANISATION, {409: "there is a team of this name already"}),
    "list_tokens": Route("List tokens", May.ADMINISTER, _ORGANISATION),
    "add_token": Route("Make a token", May.ADMINISTER, _ORGANISATION, {404: not_found("person").detail}),
    "end_token": Route("Revoke a token", May.ADMINISTER, _ORGANISATION),
    "get_clocks": Route("Retention clocks", May.ADMINISTER, _ORGANISATION),
    "set_clocks": Route("Set the retention clocks", May.ADMINISTER, _ORGANISATION),
    "list_audit": Route("The audit log", May.ADMINISTER, _ORGANISATION),
    "verify_audit": Route("Check the audit log", May.ADMINISTER),
}
