"""Whether calls fit what they call, and classes what their bases rely on, across the files of a project.

It knows what a name or `self` certainly refers to. A call through a parameter, a container or an object from elsewhere
is not judged, nor is anything that a decorator, a metaclass or a base outside of the project may change.
"""

from __future__ import annotations

from charter.analysis.contracts.extract import extract
from charter.analysis.contracts.solver import Solver

VERSION = 2

__all__ = ["VERSION", "Solver", "extract"]
