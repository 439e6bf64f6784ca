"""Filter patterns of CloudWatch Logs: text → whether a message matches. Pure.

Called by FilterLogEvents. Three languages, told apart by their first character: terms
(``ERROR -timeout "exact phrase" ?either ?or %regex%``), JSON selectors
(``{ $.level = "error" && $.took > 100 }``) and columns (``[ip, user, ..., status = 4*]``).
Source: "Filter pattern syntax", CloudWatch Logs user guide.
"""

from __future__ import annotations

from .columns import compile_columns
from .matching import Matcher, PatternError
from .selector import compile_selector
from .terms import compile_terms

__all__ = ["Matcher", "PatternError", "compile_pattern"]


def compile_pattern(pattern: str) -> Matcher:
    """The test of a message. Raises PatternError."""
    text = pattern.strip()
    if text.startswith("{"):
        return compile_selector(text)
    if text.startswith("["):
        return compile_columns(text)
    return compile_terms(text)
