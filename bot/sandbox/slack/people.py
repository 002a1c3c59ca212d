"""The methods about people and about the app itself: auth.*, users.*, usergroups.*."""

from __future__ import annotations

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.conversations import page_of
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import (
    APP_ID,
    BOT_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    TEAM_NAME,
    Json,
    SlackRefusal,
)


def auth_test(platform: Platform, _args: Arguments) -> Json:
    """auth.test: who the bot token stands for."""
    enterprise = platform.workspace.enterprise_id
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": TEAM_NAME,
        "user": platform.workspace.users[BOT_USER_ID].name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
        **({"enterprise_id": enterprise} if enterprise else {}),
    }


def bots_info(platform: Platform, args: Arguments) -> Json:
    """bots.info: the bot's app."""
    if args.text("bot", BOT_ID) != BOT_ID:
        raise SlackRefusal("bot_not_found")
    name = platform.workspace.users[BOT_USER_ID].name
    return {"bot": {"id": BOT_ID, "deleted": False, "name": name, "app_id": APP_ID, "user_id": BOT_USER_ID}}


def users_info(platform: Platform, args: Arguments) -> Json:
    """users.info: one account, deleted ones too."""
    user = platform.workspace.users.get(args.required("user"))
    if user is None:
        raise SlackRefusal("user_not_found")
    if not user.visible:
        raise SlackRefusal("user_not_visible")
    return {"user": user.json()}


def users_list(platform: Platform, args: Arguments) -> Json:
    """users.list: every account, a page at a time."""
    page, following = page_of(list(platform.workspace.users.values()), args, 999)
    return {"members": [each.json() for each in page], "response_metadata": {"next_cursor": following}}


def usergroups_list(platform: Platform, args: Arguments) -> Json:
    """usergroups.list: without disabled groups unless asked for."""
    groups = platform.workspace.groups.values()
    shown = [each for each in groups if not each.disabled or args.flag("include_disabled")]
    return {"usergroups": [each.json(args.flag("include_users")) for each in shown]}


def usergroups_users_list(platform: Platform, args: Arguments) -> Json:
    """usergroups.users.list: the user ids of one group."""
    group = platform.workspace.groups.get(args.required("usergroup"))
    if group is None:
        raise SlackRefusal("no_such_subteam")
    if group.disabled and not args.flag("include_disabled"):
        raise SlackRefusal("subteam_disabled")
    return {"users": list(group.users)}
