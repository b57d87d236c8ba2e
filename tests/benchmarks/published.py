#!/usr/bin/env python3
"""Published vulnerabilities: whether the vulnerable release has a finding at the place, and the mended one has none.

    python tests/benchmarks/published.py                   all of them
    python tests/benchmarks/published.py CVE-2021-46898    some of them

The releases are fetched from PyPI with pip, once. Each line of the output says `found, silent after` where all is well.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from packages import findings, unpacked


@dataclass(frozen=True)
class Case:
    """One vulnerability.

    Attributes:
        name: its identifier, or that of its report.
        package: the name on PyPI.
        vulnerable: a release that has it.
        mended: the first one that has not.
        rule: the rule that should speak.
        place: the end of the path of the file where it should.
    """

    name: str
    package: str
    vulnerable: str
    mended: str
    rule: str
    place: str


CASES = [
    Case("CVE-2021-23393", "Flask-Unchained", "0.8.1", "0.9.0", "open-redirect", "utils.py"),
    Case("CVE-2024-22204", "whoogle-search", "0.8.3", "0.8.4", "path-traversal", "app/routes.py"),
    Case("CVE-2024-32005", "nicegui", "1.4.20", "1.4.21", "path-traversal", "nicegui/nicegui.py"),
    Case("CVE-2022-0766", "calibreweb", "0.6.16", "0.6.18", "server-side-request-forgery", "cps/helper.py"),
    Case(
        "CVE-2021-46898", "django-grappelli", "2.15.1", "2.15.2", "open-redirect", "grappelli/views/switch.py"
    ),
    Case("CVE-2024-32651", "changedetection.io", "0.45.20", "0.45.21", "template-injection", ""),
    Case("archivy#1.7.2", "archivy", "1.7.1", "1.7.2", "path-traversal", "archivy/data.py"),
    Case("CVE-2021-39160", "nbgitpuller", "0.10.1", "0.10.2", "argument-injection", "nbgitpuller/pull.py"),
    Case(
        "CVE-2024-35225",
        "jupyter-server-proxy",
        "4.1.2",
        "4.2.0",
        "cross-site-scripting",
        "jupyter_server_proxy/handlers.py",
    ),
    Case("CVE-2025-66645", "nicegui", "3.3.1", "3.4.0", "path-traversal", "nicegui/app/range_response.py"),
    Case(
        "CVE-2025-54381",
        "bentoml",
        "1.4.18",
        "1.4.19",
        "server-side-request-forgery",
        "_bentoml_impl/serde.py",
    ),
    Case("CVE-2021-43857", "gerapy", "0.9.7", "0.9.8", "command-injection", "server/core/views.py"),
    Case("CVE-2017-2810", "tablib", "0.11.4", "0.11.5", "unsafe-yaml-load", "tablib/formats/_yaml.py"),
    Case("CVE-2017-16615", "MLAlchemy", "0.2.1", "0.2.2", "unsafe-yaml-load", "mlalchemy/parser.py"),
    Case("CVE-2017-16616", "pyanyapi", "0.6.0", "0.6.1", "unsafe-yaml-load", "pyanyapi/interfaces.py"),
    Case("CVE-2023-29159", "starlette", "0.26.1", "0.27.0", "path-traversal", "starlette/staticfiles.py"),
]


def number(case: Case, version: str) -> int:
    """How many findings of the case's rule a release has at the case's place."""
    folder: Path = unpacked(f"{case.package}=={version}")
    found = findings(folder, "--select", case.rule)
    return sum(one["rule"] == case.rule and one["path"].endswith(case.place) for one in found)


def main() -> None:
    """Check the cases that are asked for, and count those that are found before and silent after."""
    wanted = [case for case in CASES if case.name in sys.argv[1:]] or CASES
    held = 0
    for case in wanted:
        before, after = number(case, case.vulnerable), number(case, case.mended)
        held += bool(before and not after)
        words = "found, silent after" if before and not after else f"{before} before, {after} after"
        print(f"{case.name:16} {case.package:20} {case.rule:28} {words}", flush=True)
    print(f"{held} of {len(wanted)}")


if __name__ == "__main__":
    main()
