"""The commands: that every file is listed, and that what is listed can be typed."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import bot.commands
from bot.commands.all import COMMANDS, NAMED, command_for
from bot.commands.command import Command
from bot.commands.help import HELP
from bot.commands.overview import OVERVIEW
from bot.commands.request import Help

FILES = [found.name for found in pkgutil.iter_modules(bot.commands.__path__)]


def test_each_command_that_a_file_holds_is_listed() -> None:
    modules = [importlib.import_module(f"bot.commands.{name}") for name in FILES]
    held = {id(value) for module in modules for value in vars(module).values() if isinstance(value, Command)}
    assert held == {id(command) for command in COMMANDS}


def test_each_command_has_a_file_of_its_name() -> None:
    assert set(NAMED) <= set(FILES)


def test_each_request_is_answered_by_one_command() -> None:
    assert len({command.request for command in COMMANDS}) == len(COMMANDS)
    assert command_for(Help("what was not understood")) is HELP


def test_each_line_of_the_help_begins_with_the_word_that_calls_it() -> None:
    assert {name: command.usage.split()[0] for name, command in NAMED.items()} == {name: name for name in NAMED}


def test_one_command_answers_where_nothing_is_typed() -> None:
    assert [command for command in COMMANDS if not command.usage] == [OVERVIEW]


def test_the_commands_import_neither_the_database_nor_the_network_nor_slack() -> None:
    doors = ("sqlalchemy", "httpx", "aiohttp", "slack_sdk", "slack_bolt")
    code = f"import sys, bot.commands.parse; print([each for each in {doors} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
