"""What the bot says about itself in the operations channel. Pure. A moment comes as words: Slack's dates or UTC."""

from __future__ import annotations

from bot.money import count


def rules_broken(filename: str, mistakes: int) -> str:
    """A changed rules file holds mistakes, which are listed below."""
    return f"{filename} holds {count(mistakes, 'mistake')}. The last good rules stay in force."


def rules_mended(filename: str) -> str:
    """The rules file is good again."""
    return f"{filename} is good again, and in force."


def blind(since: str, why: str) -> str:
    """Usage could not be read for too long."""
    return f"The bot is blind: no usage has been read since {since}, so no budget is watched. {why}"


def sees_again(since: str, until: str) -> str:
    """Usage is read again."""
    return f"The bot sees again. It was blind from {since} to {until}; what crossed meanwhile is told now."


def delivered_again(since: str, until: str, why: str) -> str:
    """Slack takes messages again after it took none for too long; `why` ends without a full stop."""
    return f"Messages could not be delivered from {since} to {until}: {why}. What waited is delivered now."


def another_account(days: int) -> str:
    """The figures of so many past days have changed all at once."""
    return (
        f"The figures of {count(days, 'past day')} changed at once, as the key of another Cartesia account would "
        "change them. Nothing is judged by them until the next reading agrees. If they are not yours, set "
        "CARTESIA_ADMIN_API_KEY to your account's key again."
    )


def taken_over() -> str:
    """What had changed all at once stays so."""
    return "The next reading agrees: the changed figures of past days are taken over, and what they correct is told."


def as_before() -> str:
    """What had changed all at once was not taken over."""
    return "The figures of past days are those of before again; nothing was judged by the changed ones."


def rerouted(channel: str, mend: str) -> str:
    """Above an alert that its own channel did not take."""
    return f"{channel} did not take this message: {mend}."


def repeated(row_id: str) -> str:
    """Below a message that Slack may have already."""
    return f"Message {row_id}: Slack did not confirm it, so it may stand here twice."
