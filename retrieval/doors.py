"""How the commands end: the exit codes, and one line instead of a traceback."""

import sys
from collections.abc import Callable

from retrieval.errors import CineSeekError, GateRefused, InputError, UsageError

DONE, STORES_DISAGREE, USAGE, SOME_REFUSED, GATE, INTERRUPTED = 0, 1, 2, 3, 4, 130


def enter(command: Callable[[], object]) -> None:
    """Run a door's command line and end the process.

    Errors raised on purpose become one line on stderr and the exit code of
    their family; anything else is a bug and keeps its traceback.
    """
    try:
        command()
    except CineSeekError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(_code(error))
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on\n")
        sys.exit(INTERRUPTED)


def _code(error: CineSeekError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, GateRefused):
        return GATE
    if isinstance(error, InputError):
        return SOME_REFUSED
    return STORES_DISAGREE
