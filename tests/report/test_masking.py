"""Secrets that were found are not spread by the report of the finding."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from charter.cli.main import cli

SECRET = "s3cr3t-Pa55-of-the-shop"


def test_no_format_shows_a_secret_that_was_found(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(f'DB_PASSWORD = "{SECRET}"\n')
    for form in ("full", "concise", "json", "sarif", "github", "gitlab"):
        result = CliRunner().invoke(
            cli,
            [
                "check",
                str(tmp_path / "settings.py"),
                "--select",
                "hardcoded-secret",
                "--output-format",
                form,
                "--no-cache",
            ],
        )
        assert "DB_PASSWORD" in result.output, result.output
        assert SECRET not in result.output, form
