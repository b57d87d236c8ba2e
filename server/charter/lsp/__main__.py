"""Runs the language server: `python -m charter.lsp`, as editors' extensions do that bring their own copy along."""

import sys

from charter.lsp.main import serve

if __name__ == "__main__":
    sys.exit(serve())
