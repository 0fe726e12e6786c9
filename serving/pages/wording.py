"""The service's own vocabulary as people read it."""

from __future__ import annotations

from serving.store.people import PersonRole
from serving.store.sessions import JobKind, JobState, SessionState

SESSION_STATES = {
    SessionState.WAITING: "Being scored",
    SessionState.SCORED: "Scored",
    SessionState.FAILED: "Failed",
    SessionState.CANCELED: "Cancelled",
}
JOB_STATES = {
    JobState.QUEUED: "Waiting",
    JobState.RUNNING: "Running",
    JobState.SUCCEEDED: "Done",
    JobState.FAILED: "Failed",
    JobState.CANCELED: "Cancelled",
}
JOB_KINDS = {
    JobKind.SCORE: "Score a session",
    JobKind.RECOMPUTE: "Code again after a correction",
    JobKind.TRANSCRIBE: "Transcribe only",
}
STAGES = {
    "receive": "checking the file",
    "listen": "writing down what was said",
    "code": "coding",
    "rate": "rating",
    "write": "writing the result",
}
PERSON_ROLES = {
    PersonRole.UPLOADER: "Uploader",
    PersonRole.CODER: "Coder",
    PersonRole.COACH: "Coach",
    PersonRole.MANAGER: "Manager",
    PersonRole.ADMINISTRATOR: "Administrator",
}
FIELDS = {"role": "Role", "speaker": "Speaker", "text": "Text", "code": "Code"}
KINDS = {"sound": "Recording", "transcript": "Transcript"}


def nothing_yet(role: PersonRole, *, has_team: bool) -> str:
    """What an empty library says: whose sessions would stand in it."""
    if role is PersonRole.ADMINISTRATOR:
        return "Nothing has been handed in yet."
    if role is PersonRole.MANAGER:
        return "There is no visit of your own here. Of other workers' visits, managers see figures of groups alone."
    if role is PersonRole.UPLOADER:
        return "You have handed nothing in yet, and there is no visit of your own here."
    if not has_team:
        return "You are in no team yet, so you see only what you hand in yourself. An administrator can put you in one."
    return "Your team has handed nothing in yet."


def time_left(seconds: float) -> str:
    """An estimate, as rough as it is: `about 3 minutes left`."""
    if seconds < 50:
        return "less than a minute left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minute{'s' if minutes != 1 else ''} left"
    return f"about {round(minutes / 60)} hours left"
