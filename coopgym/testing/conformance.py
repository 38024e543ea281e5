"""How a battery of checks runs and what it says when one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from coopgym.interrupts import is_interrupt
from coopgym.user_code import message_of

Subject = TypeVar("Subject")


class ConformanceError(AssertionError):
    """A game or an agent breaks its protocol; the message says what is wrong and what to change."""


def require(condition: object, message: str) -> None:
    """Raise unless ``condition`` holds.

    Raises:
        ConformanceError: it does not.
    """
    if not condition:
        raise ConformanceError(message)


def run_checks(
    name: str,
    checks: Sequence[Callable[[Subject], None]],
    subject: Subject,
    located: Callable[[BaseException], str] = lambda error: "",
) -> None:
    """Run checks in order until one fails.

    Args:
        name: what the messages begin with.
        checks: functions whose names say what they check.
        subject: what they check.
        located: where in the user's code to look for what failed; what the messages end with.

    Raises:
        ConformanceError: a check failed, or the subject raised whatever it was.
    """
    for check in checks:
        title = check.__name__.replace("_", " ")
        try:
            check(subject)
        except ConformanceError as error:
            raise ConformanceError(f"{name}: {title}: {error}{located(error)}") from error
        except BaseException as error:  # what ends the interpreter breaks the protocol as well
            if is_interrupt(error):
                raise
            said = f"{type(error).__name__}: {message_of(error)}"
            raise ConformanceError(f"{name}: {title}: {said}{located(error)}") from error
