"""Every error this program raises on purpose, in one tree.

BotError                     one plain sentence that says what to do
├── SettingsError            every missing or malformed variable at once           (exit code 2)
├── RulesError               every mistake of a rules file, each with its place     (exit code 2 at start)
├── CartesiaError            usage could not be read
│   ├── KeyRefused           401, 403: never heals by itself
│   ├── RequestRefused       another 4xx: our request is wrong
│   ├── Throttled            429: not before `retry_after` seconds
│   ├── CartesiaUnavailable  no answer, or a 5xx
│   ├── UnreadableAnswer     an answer whose shape is not the published one
│   ├── CertificateUntrusted who answered for Cartesia has a certificate that is not trusted
│   └── AnotherAccount       figures that disown what was known; the next reading decides
├── FileUnreadable           a file that people wrote can't be read
│   └── FileMissing          nothing stands at its path
├── DoneBefore               the same request of a person's came again
├── StoreError               the database did not do what it was asked
│   ├── DatabaseUnusable     it will not, however long it is waited for             (exit code 2)
│   └── DatabaseGone         its file was deleted, moved or replaced under the bot  (exit code 1)
└── StartRefused             Slack refused a token at start, or HOST is not of here   (exit code 2)
"""

from __future__ import annotations

import re

from bot.redaction import redacted


class BotError(Exception):
    """Base of all: its text is one plain sentence fit to be shown to a person, with no secret in it."""

    def __init__(self, text: str) -> None:
        super().__init__(redacted(text))

    @property
    def gist(self) -> str:
        """The text without the number that Cartesia gives each request: by this, two are the same trouble."""
        return re.sub(r" \[request [\w-]+\]", "", str(self))


class SettingsError(BotError):
    """Variables are missing or malformed; `problems` names each one, never with its value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class CartesiaError(BotError):
    """Usage could not be read; the text says why and what to do."""


class KeyRefused(CartesiaError):
    """Cartesia answered 401 or 403: the key is wrong, revoked, or not an admin key."""


class RequestRefused(CartesiaError):
    """Cartesia answered another 4xx: asking again in the same words cannot help."""


class Throttled(CartesiaError):
    """Cartesia answered 429; `retry_after` is in seconds, None where it did not say."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class CartesiaUnavailable(CartesiaError):
    """No answer in time, a broken connection, or a 5xx."""


class UnreadableAnswer(CartesiaError):
    """A 200 whose body is not the published shape; the text says where."""


class CertificateUntrusted(CartesiaError):
    """The certificate of whoever answered is not trusted: asking again cannot help."""


class FileUnreadable(BotError):
    """There is no file at a path, or it can't be read; the text is a clause without the path."""


class FileMissing(FileUnreadable):
    """Nothing stands at the path."""


class AnotherAccount(CartesiaError):
    """The figures of past days have changed all at once; nothing is judged by this reading."""


class DoneBefore(BotError):
    """What a person wants was done at this very request already, or is overtaken by what was done after it."""

    def __init__(self) -> None:
        super().__init__("This was done already, and is not done twice. If you want it again, ask for it anew.")


class StoreError(BotError):
    """The database could not be reached or refused; nothing of the attempted step was kept."""


class DatabaseUnusable(StoreError):
    """The database will not do its part until somebody mends the setting, the folder or the server."""


class DatabaseGone(StoreError):
    """A file of the open SQLite database was deleted, moved or replaced: what is written now would be lost."""


class StartRefused(BotError):
    """Slack refused a token at start, or this machine can't listen on HOST and PORT; the text says what to do."""
