"""`charter explain`: what a rule or a principle means, how a score came about, how a value was followed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from charter.cli.session import check, fail, open_here, open_paths, outcome_of, tell_troubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.engine.score import Score
    from charter.report.outcome import Outcome


@click.command()
@click.argument("word", metavar="RULE|CODE|PRINCIPLE", required=False)
@click.option(
    "--score", "scored", type=click.Path(path_type=Path), help="Show the arithmetic of this path's scores."
)
@click.option(
    "--flow",
    "place",
    metavar="FILE:LINE",
    help="Show how the values of a line were followed, and where they were lost or made safe.",
)
@click.option(
    "--format", "-f", "form", type=click.Choice(["text", "json"]), default="text", help="For --flow."
)
def command(word: str | None, scored: Path | None, place: str | None, form: str) -> int:
    """Explain a rule (by name, code or another tool's id) or a principle (by id or name)."""
    if place is not None:
        from charter.cli.flows import explain_flow

        explain_flow(place, as_json=form == "json")
    elif scored is not None:
        return _explain_score(scored, word)
    elif word is None:
        fail("say what to explain: a rule, a code, a principle, `--score PATH` or `--flow FILE:LINE`")
    else:
        _explain_word(word)
    return 0


def _explain_word(word: str) -> None:
    from charter.report.page import markdown, principle_markdown, serving

    opened = open_here()
    registry = opened.project.registry
    rule = registry.find(word)
    principle = opened.charter.find(word)
    if rule is not None:
        _show(markdown(rule, opened.charter.by_slug))
    elif principle is not None:
        _show(principle_markdown(principle, serving(principle, registry.rules)))
    elif found := registry.by_alias.get(word.upper()):
        for one in found:
            _show(markdown(one, opened.charter.by_slug))
    else:
        from charter.engine.settings import guess

        known = [*registry.by_name, *registry.by_code, *opened.charter.by_slug]
        hint = guess(word.lower(), known) or "see `charter rules` and `charter principles`"
        fail(f"no rule or principle is called `{word}`; {hint}")


def _show(text: str) -> None:
    import sys

    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        click.echo(text)


def _explain_score(path: Path, word: str | None) -> int:
    opened = open_paths([path])
    outcome = outcome_of(opened, check(opened))
    chosen = list(outcome.scores.principles.values())
    if word is not None:
        principle = opened.charter.find(word)
        if principle is None or principle.slug not in outcome.scores.principles:
            fail(f"no principle is called `{word}`; see `charter principles`")
        chosen = [outcome.scores.principles[principle.slug]]
    for score in chosen:
        if score.value is not None or word is not None:
            click.echo("\n".join(_arithmetic(outcome, score)))
    return tell_troubles(outcome)


def _arithmetic(outcome: Outcome, score: Score) -> Iterator[str]:
    from charter.engine.score import WEIGHTS, shown

    principle = outcome.principles[score.principle]
    yield f"{principle.id} {principle.slug}: {shown(score.value)}"
    if score.share is None:
        yield "  no rule of this principle found anything to look at, so there is no score\n"
        return
    for term in score.terms:
        worst = ", ".join(
            f"{count} {severity.label} x {WEIGHTS[severity]}"
            for severity, count in sorted(term.violations.items(), reverse=True)
        )
        good = term.opportunities - sum(term.violations.values())
        yield f"  {term.rule}: looked at {term.opportunities:,}; lost {term.lost:,} of {term.total:,}"
        yield f"    violations: {worst or 'none'}; kept: {good:,} x {term.weight}"
    lost, total = sum(term.lost for term in score.terms), sum(term.total for term in score.terms)
    yield f"  share: 100 × (1 − {lost:,} / {total:,}) = {score.share:.2f}"
    if score.worst is not None and score.cap < 100:
        yield f"  cap: a {score.worst.label} violation leaves at most {score.cap:g}"
    yield f"  score: {score.value:.2f}; weight in its pillar: {principle.weight:g}\n"
