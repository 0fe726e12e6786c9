"""What holds for the whole interface, and what its parts are about."""

from __future__ import annotations

OVERVIEW = """Scores recorded child-and-family home visits for Motivational Social Work: recordings and transcripts \
come in, durable jobs score them, coders review them blind, and what they say is compared.

**Who is asking.** Every route but health and this description needs `Authorization: Bearer msw_…`; tokens come from \
an administrator or `msw token create`. What somebody may not know of answers 404, as if it were not there.

**Errors** are RFC 9457 `application/problem+json`; `detail` is a sentence for people, `errors` names the fields.

**Lists** come in parts: send `next_cursor` as `cursor` until it is `null`. The newest comes first.

**Uploads** can be sent again without harm: the same `Idempotency-Key` with the same content gives the same job.

**Limits.** 429 and 503 say in `Retry-After` when to try again.
"""

TAGS = [
    {
        "name": "sessions",
        "description": "One visit: a recording or a transcript, and what was made of it.",
    },
    {"name": "jobs", "description": "A job scores a session in durable stages; it can be looked at, stopped, retried."},
    {"name": "content", "description": "What is in a session, in many formats, and people's corrections of it."},
    {"name": "reviews", "description": "Second opinions: coding blind, comparison, agreement."},
    {"name": "erasure and comments", "description": "Erasing for good, with a receipt; what people say of a score."},
    {"name": "transcriptions", "description": "Words alone, as OpenAI's clients ask for them."},
    {"name": "models and groups", "description": "What scores here and how well; figures of groups of workers."},
    {"name": "administration", "description": "People, teams, tokens, retention clocks, the audit log."},
    {"name": "operations", "description": "Metrics, and webhooks for systems that wait for jobs to end."},
    {"name": "health", "description": "For whoever keeps the service running; without a token."},
]
"""The parts in the order in which they are read."""
