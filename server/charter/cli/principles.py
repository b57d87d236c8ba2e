"""`charter principles`: the charter, with the rules that are its evidence."""

from __future__ import annotations

import click

from charter.cli.session import open_here


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
def command(*, as_json: bool) -> None:
    """List the principles and, for each, its rules."""
    from charter.report.page import serving

    opened = open_here()
    rules = opened.project.registry.rules
    pairs = [(principle, serving(principle, rules)) for principle in opened.charter.principles]
    if as_json:
        import json

        rows = [
            {
                "id": principle.id,
                "slug": principle.slug,
                "title": principle.title,
                "pillar": principle.pillar.value,
                "rank": principle.rank,
                "weight": principle.weight,
                "rules": [rule.name for rule in evidence],
            }
            for principle, evidence in pairs
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    from charter.cli.tables import console_print, table

    cells = [
        (
            principle.id,
            principle.slug if principle.weight else f"{principle.slug} (retired)",
            principle.title,
            " ".join(rule.code for rule in evidence) or "none",
        )
        for principle, evidence in pairs
    ]
    console_print(table(["id", "principle", "what it demands", "rules"], cells))
