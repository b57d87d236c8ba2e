"""Whether a regular expression that untrusted text reaches may take quadratic time. It knows patterns, not flows."""

# The values here are nested tuples, which only their tags type.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.values import EXTERNAL, UNKNOWN, Value

if TYPE_CHECKING:
    from charter.analysis.regex.proof import Proofs
    from charter.analysis.taint.arguments import Arguments
    from charter.model.project import Function

_FLAGS_AT: Final = {"split": 3, "sub": 4, "subn": 4}
_LONGEST: Final = 2_000


def suspicion(frame: Any, name: str, arguments: Arguments, receiver: Value | None) -> str:
    """What of a call of `re` makes it slow for some text, as `Witnesses` takes it; "" if it cannot be, or is not known.

    Args:
        frame: the run of the function that calls it.
        name: qualified name of the function or method of `re`.
        arguments: of the call.
        receiver: the compiled pattern of a method.
    """
    from charter.analysis.regex.backtracking import polynomial_pumps

    last = name.rpartition(".")[2]
    if "Pattern" in name:
        pattern = UNKNOWN if receiver is None else frame.read(receiver, ".pattern") or UNKNOWN
        flags = None if receiver is None else frame.read(receiver, ".flags")
    else:
        pattern = arguments.get(0, "pattern") or UNKNOWN
        flags = arguments.get(_FLAGS_AT.get(last, 2), "flags")
    known = _flags(flags)
    if not isinstance(pattern[1], str) or known is None or len(pattern[1]) > _LONGEST:
        return ""
    method = last if last in {"match", "fullmatch"} else "search"
    return f"{method} {known} {pattern[1]}" if polynomial_pumps(pattern[1], known, method) else ""


class Witnesses:
    """Finds texts on which patterns were seen to be slow, for so many patterns of each file.

    Attributes:
        coarse: where patterns were left untried, as `path:line name`.
    """

    def __init__(self) -> None:
        self._proofs: dict[str, Proofs] = {}
        self.coarse: dict[str, str] = {}

    def of(self, suspected: str, function: Function) -> str:
        """A text, as an expression, on which what is suspected of a function was seen to be slow; "" if none was found."""
        from charter.analysis.regex.backtracking import polynomial_witness
        from charter.analysis.regex.proof import Proofs

        path = function.module.path
        proofs = self._proofs.get(path)
        if proofs is None:
            proofs = self._proofs[path] = Proofs()
        method, flags, pattern = suspected.split(" ", 2)
        found = polynomial_witness(pattern, int(flags), method, proofs)
        if proofs.are_cut:
            self.coarse.setdefault(path, f"{path}:{function.line} the patterns that untrusted text reaches")
        return "" if found is None else str(found)


def _flags(value: Value | None) -> int | None:
    """The value of the flags that a call is given; None if it is not known."""
    if value is None:
        return 0
    if isinstance(value[1], int):
        return value[1]
    reference = value[2]
    if reference is not None and reference[0] == EXTERNAL:
        flag = getattr(re, reference[1].rpartition(".")[2], None)
        return int(flag) if isinstance(flag, re.RegexFlag) else None
    return None
