"""A rule names a channel that is not there: it is told before an alert needs it, and each thing once."""

from __future__ import annotations

from bot.sandbox.world import RULES, World
from bot.windows import utc_day

REMEDY = (
    "does not exist, or is private and the bot is not in it: "
    "create it, invite the bot there with /invite, or name another channel in rules.yaml"
)


async def test_a_missing_channel_is_named_with_what_to_do_at_start_and_each_line_that_repeats_once(
    world: World,
) -> None:
    world.rules_file.write_text(RULES + '    channel: "#finance"\n')
    bot = await world.run()
    await bot.said(f"#finance {REMEDY}.")
    [told] = await world.slack.until(lambda: world.slack.messages("voice-ops"), 10, "the word in operations")
    assert told.text == f"#finance {REMEDY}. Until then its messages come here."
    status = await (await world.slack.command("/agent-usage", "status")).answer()
    assert f"🔴 #finance {REMEDY}." in status.text
    world.slack.channel("voice-ops").archived = True
    world.cartesia.set_day(utc_day(world.now()), cents=5300)
    await bot.said("not delivered yet")
    posts = len(world.slack.calls_of("chat.postMessage"))
    await world.slack.until(lambda: len(world.slack.calls_of("chat.postMessage")) > posts or None, 5, "another attempt")
    status = await (await world.slack.command("/agent-usage", "status")).answer()
    assert status.text.count(REMEDY) == 1
    assert f"🔴 #finance takes no messages (channel_not_found): it {REMEDY}" in status.text
    for words in ("Messages are kept until one does.", "not delivered yet", f"#finance {REMEDY}."):
        assert sum(words in line for line in bot.lines) == 1, words
