"""What is found and mended is so: Django and SQLAlchemy run on SQLite, and their queries are counted before and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.nplus1 import main, run, verdict
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
import json
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
print(json.dumps({"queries": counts, "result": results}))
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
import json
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
print(json.dumps({"queries": counts, "result": results}))
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


def _written(folder: Path, files: dict[str, str], script: str) -> Path:
    for path, text in {**files, "run.py": script}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("name", CASES)
def test_a_finding_grows_with_the_rows_and_its_fix_does_not(name: str, tmp_path: Path) -> None:
    kind, body = CASES[name]
    _ = pytest.importorskip(kind)
    script = DJANGO_RUN if kind == "django" else SQLALCHEMY_RUN
    files = _program(kind, body)
    (before,) = run(_written(tmp_path / "before", files, script)).values()
    assert before.grows, "the case itself is no N+1"
    (after,) = run(_written(tmp_path / "after", _mended(files), script)).values()
    assert verdict(before, after) == "constant"


def test_the_command_mends_and_measures_every_program_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ = pytest.importorskip("sqlalchemy")
    kind, body = CASES["to one"]
    _ = _written(tmp_path / "lazy", _program(kind, body), SQLALCHEMY_RUN)
    script = 'print(\'{"queries": [1, 1], "result": "x"}\')'
    _ = _written(tmp_path / "plain", {"plain.py": "x = 1\n"}, script)
    assert main([str(tmp_path)]) == 0
    assert sorted(capsys.readouterr().out.strip().split(", ")) == ["1 as before", "1 constant"]
