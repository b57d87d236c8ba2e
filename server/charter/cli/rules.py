"""`charter rules`: which rules there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from charter.cli.session import open_here

if TYPE_CHECKING:
    from charter.engine.opening import Opened


@click.command()
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
@click.option("--pages", type=click.Path(path_type=Path), help="Write the handbook into this folder instead.")
def command(words: tuple[str, ...], *, as_json: bool, pages: Path | None) -> None:
    """List the rules; WORDS (names, codes, principles, pillars) choose among them."""
    from charter.engine.plan import SelectionError, Selector

    opened = open_here()
    if pages is not None:
        _write_pages(opened, pages)
        return
    every = opened.project.registry.rules
    try:
        selector = Selector(every, opened.charter.principles)
        names = {name for word in words for name in selector.matches(word)} if words else None
    except SelectionError as error:
        raise click.ClickException(str(error)) from None
    chosen = [rule for rule in every if names is None or rule.name in names]
    enabled = {entry.rule.name for entry in opened.project.planner.plan("").entries}
    ids = {principle.slug: principle.id for principle in opened.charter.principles}
    if as_json:
        import json

        rows = [
            {
                "name": rule.name,
                "code": rule.code,
                "title": rule.title,
                "principles": list(rule.principles),
                "severity": rule.severity.label,
                "cwe": list(rule.cwe),
                "aliases": list(rule.aliases),
                "enabled": rule.name in enabled,
            }
            for rule in chosen
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    from charter.cli.tables import console_print, table

    cells = [
        (
            rule.code,
            rule.name if rule.name in enabled else f"{rule.name} (off)",
            rule.severity.label,
            " ".join(ids.get(slug, slug) for slug in rule.principles),
            rule.title,
        )
        for rule in chosen
    ]
    console_print(table(["code", "rule", "severity", "principles", "what it says"], cells))
    click.echo(f"{len(chosen)} rules. `charter explain RULE` tells more.")


def _write_pages(opened: Opened, folder: Path) -> None:
    """Bring the handbook up to date; pages of rules that are gone go too."""
    from charter.engine.atomic import write_text
    from charter.report.handbook import files

    made = files(opened.project.registry, opened.charter)
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    for page in (folder / "pages").glob("*.md"):
        if f"pages/{page.name}" not in made:
            page.unlink()
    for name, text in made.items():
        write_text(folder / name, text)
    click.echo(f"{folder}: {len(made)} files.")
