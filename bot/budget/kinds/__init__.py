"""Every kind of rule: a file for each, listed here and nowhere else.

Each file exports one frozen value that answers what `protocol.RuleKind` asks. Whoever judges or shows a rule asks its
kind; nobody else tells kinds apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.budget.kinds.above_usual import ABOVE_USUAL
from bot.budget.kinds.below import BELOW
from bot.budget.kinds.protocol import RuleKind
from bot.budget.kinds.threshold import THRESHOLD
from bot.rules.models import Rule

KINDS: Final[tuple[RuleKind[Any], ...]] = (THRESHOLD, ABOVE_USUAL, BELOW)

_KIND_OF: Final[Mapping[type, RuleKind[Any]]] = {kind.rule: kind for kind in KINDS}


def of(rule: Rule) -> RuleKind[Any]:
    """The kind of this rule."""
    return _KIND_OF[type(rule)]
