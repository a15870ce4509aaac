"""The front door: `foedus COMMAND`. Each command is one thin module of this room.

Commands are named here and imported only when they are called, so that `foedus --help` answers at
once. A command reads its options, calls one function of another room and shows what came of it.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Sequence

from foedus.cli.environment import pin_environment


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with the contract's exit code."""
    pin_environment()
    # Importing makes objects by the hundred thousand and hardly a cycle: look for those less often.
    gc.set_threshold(100_000, 20, 20)
    # What is left at the end goes with the process: searching it for cycles takes 50 ms.
    atexit.register(gc.freeze)
    from foedus.cli.front import run

    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))
