"""What is found and mended is so: Django and SQLAlchemy run on SQLite, and their queries are counted before and after."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from charter.engine.project import Project, assemble, reduce_all
from charter.engine.reduce import Reducer
from charter.engine.registry import load
from charter.engine.settings import Settings
from charter.mend.prove import Proved, Prover

DJANGO_MODELS = """
from django.db import models

class Team(models.Model):
    name = models.CharField(max_length=10)
    class Meta:
        app_label = "hr"

class Person(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    age = models.IntegerField(default=1)
    class Meta:
        app_label = "hr"
"""
DJANGO_RUN = """
import django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
                   INSTALLED_APPS=["hr"], DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hr import reports
from hr.models import Person, Team
with connection.schema_editor() as editor:
    editor.create_model(Team)
    editor.create_model(Person)
counts, results = [], []
for size in (2, 4):
    team = Team.objects.create(name=f"t{size}")
    for number in range(size):
        Person.objects.create(team=team, age=number)
    with CaptureQueriesContext(connection) as queries:
        results.append(repr(reports.report()))
    counts.append(len(queries))
print(counts[0] == counts[1], results)
"""
SQLALCHEMY_MODELS = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

class Base(DeclarativeBase):
    pass

class Team(Base):
    __tablename__ = "team"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    members: Mapped[list["Person"]] = relationship(back_populates="team")

class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    team: Mapped[Team] = relationship(back_populates="members")
"""
SQLALCHEMY_RUN = """
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session
from hr import reports
from hr.models import Base, Person, Team
counts, results = [], []
for size in (2, 4):
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Team(name=f"t{n}", members=[Person()]) for n in range(size)])
        session.commit()
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    with Session(engine) as session:
        results.append(repr(reports.report(session)))
    counts.append(len(statements))
    engine.dispose()
print(counts[0] == counts[1], results)
"""
REGISTRY = load()
CASES = {
    "a foreign key": ("django", "return [p.team.name for p in Person.objects.order_by('pk')]"),
    "a count": ("django", "return [t.members.count() for t in Team.objects.order_by('pk')]"),
    "a filter": (
        "django",
        "return [[p.age for p in t.members.filter(age__gte=1)] for t in Team.objects.order_by('pk')]",
    ),
    "a key": ("django", "return [p.team.pk for p in Person.objects.order_by('pk')]"),
    "a column": ("django", "return [p.age for p in Person.objects.only('team').order_by('pk')]"),
    "a save": ("django", "for p in Person.objects.all():\n        p.age = 3\n        p.save()"),
    "to one": (
        "sqlalchemy",
        "return [p.team.name for p in session.scalars(select(Person).order_by(Person.id))]",
    ),
    "a chain": (
        "sqlalchemy",
        "return [len(p.team.members) for p in session.query(Person).order_by(Person.id).all()]",
    ),
}


def _program(kind: str, body: str) -> dict[str, str]:
    if kind == "django":
        head = "from hr.models import Person, Team\n\ndef report():\n    "
        return {"hr/__init__.py": "", "hr/models.py": DJANGO_MODELS, "hr/reports.py": f"{head}{body}\n"}
    head = "from sqlalchemy import select\nfrom hr.models import Person, Team\n\ndef report(session):\n    "
    return {"hr/__init__.py": "", "hr/models.py": SQLALCHEMY_MODELS, "hr/reports.py": f"{head}{body}\n"}


def _mended(files: dict[str, str]) -> dict[str, str]:
    rules = ["n-plus-one-query", "n-plus-one-write"]
    project = Project.of(
        Settings(root=Path("/x")), REGISTRY, (), files, lambda p: files[p].encode(), select=rules
    )
    results = {path: project.check_file(path) for path in project.paths}
    reducer = Reducer(project.planner.analyses, project.info)
    report = assemble(project, results, reduce_all(project, results, reducer))
    assert len(report.findings) == 1, [f.message for f in report.findings]
    finding = report.findings[0]
    proof = Prover(project, results, reducer).prove(finding, finding.fixes[0])
    assert isinstance(proof, Proved), proof
    return {**files, **proof.texts}


def _run(folder: Path, files: dict[str, str], script: str) -> tuple[bool, str]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    (folder / "run.py").write_text(script, "utf-8")
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    constant, _, result = done.stdout.partition(" ")
    return constant == "True", result


@pytest.mark.parametrize("name", CASES)
def test_a_finding_grows_with_the_rows_and_its_fix_does_not(name: str, tmp_path: Path) -> None:
    kind, body = CASES[name]
    _ = pytest.importorskip(kind)
    script = DJANGO_RUN if kind == "django" else SQLALCHEMY_RUN
    files = _program(kind, body)
    constant, before = _run(tmp_path / "before", files, script)
    assert not constant, "the case itself is no N+1"
    constant, after = _run(tmp_path / "after", _mended(files), script)
    assert constant
    assert after == before
