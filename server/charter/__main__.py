"""Where the process begins: Ctrl-C ends it at once while its parts still load. It knows nothing of what it starts."""

from __future__ import annotations

import os
import signal
import sys


def run() -> None:
    """Load the commands and hand over to them; ends the process."""
    # An interrupt in the middle of an import would be told with a traceback that concerns nobody.
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from charter.cli import main

    signal.signal(signal.SIGINT, handler)
    try:
        main.run()
    except SystemExit as end:
        if end.code in {0, 1} and not sys.stderr.closed:
            # Nothing is left to end, and to take the objects of a large project apart one by one takes as long as
            # checking thousands of lines.
            sys.stderr.flush()
            os._exit(end.code)
        raise


if __name__ == "__main__":
    run()
