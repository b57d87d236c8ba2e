"""Finds docstrings that name other parameters, results or exceptions than their function has. `analysis.docs` compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter.api.facts.docs import DocstringProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    DocstringProblem,
    code="MNT014",
    principles=("documented-api",),
    severity=Severity.LOW,
    aliases=("DOC102", "W9017"),
)
def wrong_docstring(problem: DocstringProblem, ctx: Context) -> Iterator[Finding]:  # noqa: D417 (an example's section)
    """A docstring describes parameters, results or exceptions other than those that the function has.

    It was right once. Since then a parameter was renamed, added or taken out, and the docstring now tells callers to
    pass what is refused. A wrong docstring is worse than none, because it is believed.

    A result is described and never returned; an exception is raised, and the section that lists the exceptions has others
    only.

    Google, NumPy and Sphinx sections are read. Functions with `*args` or `**kwargs` may document what they pass on
    and are not judged.

    ```python bad
    def area(width, height):
        '''Compute an area.

    Args:
            width: in metres.
            heigth: in metres.
    #       ^^^^^^ the docstring of `area` describes `heigth`, which is no parameter; `height` is
        '''
        return width * height
    ```
    ```python fixed
    def area(width, height):
        '''Compute an area.

    Args:
            width: in metres.
            height: in metres.
        '''
        return width * height
    ```
    ```python good
    def area(width, height, **options):
        '''Compute an area.

    Args:
            width: in metres.
            height: in metres.
            unit: the unit of the result.
        '''
        return width * height * options["unit"]
    ```
    """
    if ctx.is_test:
        return
    name, subject = problem.name, problem.subject
    fix: Fix | None = None
    if problem.problem == "unknown-parameter":
        message = f"the docstring of `{name}` describes `{subject}`, which is no parameter"
        if problem.nearest:
            message += f"; `{problem.nearest}` is"
            edit = ctx.replace(problem.location.span, problem.nearest)
            fix = Fix(f"Describe `{problem.nearest}`", (edit,), Grade.UNSAFE)
    elif problem.problem == "order":
        order = ", ".join(f"`{parameter}`" for parameter in problem.actual)
        message = (
            f"the docstring of `{name}` describes its parameters in another order than the code: {order}"
        )
    elif problem.problem == "returns":
        message = f"the docstring of `{name}` describes a result, but the function never returns one"
    elif problem.problem == "undocumented-raise":
        said = " and ".join(f"`{error}`" for error in problem.actual[:3])
        message = f"`{name}` raises `{subject}` here, and its docstring speaks of {said} only"
    else:
        message = f"the docstring of `{name}` describes every parameter but `{subject}`"
    yield ctx.finding(problem.location, message, fix=fix)
