"""Starts the language server for the extension: from the environment if it has Charter, else from the bundled copy.

It is run by its path and with `-P`, so that no module of the workspace is ever imported.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

LIBS = Path(__file__).parent / "libs"


def main() -> int:
    """Run the server. Returns its exit status."""
    if sys.version_info < (3, 11):
        sys.stderr.write(
            f"Charter needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        )
        return 3
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    bundled = [str(LIBS / "pure"), str(LIBS / version)]
    if os.environ.get("CHARTER_IMPORT_STRATEGY") == "useBundled":
        sys.path[:0] = bundled
    elif find_spec("charter") is None or find_spec("charter.lsp") is None:
        sys.path += bundled
    try:
        from charter.lsp.main import serve
    except ImportError as error:
        sys.stderr.write(f"Charter cannot be loaded with {sys.executable}: {error}\n")
        return 3
    return serve()


if __name__ == "__main__":
    sys.exit(main())
