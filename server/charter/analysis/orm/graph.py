"""Draws a project's models and their relations: as text, for Mermaid or for Graphviz. It follows no query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from charter.analysis.orm.mapping import Kind, Model, Relation
from charter.analysis.orm.schema import Schema

if TYPE_CHECKING:
    from charter.analysis.orm.solver import Solver

FORMS = ("text", "mermaid", "graphviz")
_ARROWS = {
    Kind.FORWARD: "}o--||",
    Kind.ONE: "|o--||",
    Kind.MANY: "}o--o{",
    Kind.GENERIC: "}o..||",
    Kind.GENERIC_MANY: "||..o{",
}


def render(solver: Solver, form: str = "text") -> str:
    """The model graph of the files that a solver was given.

    Args:
        solver: the analysis, updated with the project's files.
        form: one of `FORMS`.

    Returns:
        The graph, ending in a newline; "" for a project without models.

    Raises:
        ValueError: for another form.
    """
    return draw(solver.schema, form)


def draw(schema: Schema, form: str) -> str:
    """The graph of some models; arguments and errors as of `render`."""
    drawers = {"text": _text, "mermaid": _mermaid, "graphviz": _graphviz}
    if form not in drawers:
        raise ValueError(f"unknown form `{form}`; use one of {', '.join(FORMS)}")
    models = sorted((m for m in schema.models.values() if not m.abstract), key=lambda m: (m.label, m.name))
    return drawers[form](models) if models else ""


def _own(model: Model) -> list[Relation]:
    """The relations that a model's own class or its abstract parents declare, in the order of their names."""
    concrete = [p for p in model.parents if not p.abstract]
    found = [
        r
        for r in model.relations.values()
        if r.kind in _ARROWS and r.declared and not any(r.name in p.relations for p in concrete)
    ]
    return sorted(found, key=lambda r: r.name)


def _text(models: list[Model]) -> str:
    lines: list[str] = []
    for model in models:
        parents = [p.name for p in model.parents if not p.abstract]
        heritage = f" ({', '.join(parents)})" if parents else ""
        where = f"  {model.cls.module.path}:{model.cls.node.lineno}" if model.cls else ""
        lines.append(f"{model.label}.{model.name}{heritage}{where}")
        for relation in sorted(model.relations.values(), key=lambda r: r.name):
            target = relation.target.name if relation.target else "?"
            details = [relation.kind.value]
            details += ["null"] if relation.null else []
            details += [f"through {relation.through}"] if relation.through else []
            details += [f"loaded by {relation.lazy}"] if relation.lazy != "select" else []
            back = f", back as `{relation.inverse}`" if relation.inverse else ""
            lines.append(f"  {relation.name} -> {target}  ({', '.join(details)}{back})")
    return "\n".join(lines) + "\n"


def _names(models: list[Model]) -> Mapping[Model, str]:
    """A name for each model that no other has."""
    seen: dict[str, int] = {}
    for model in models:
        seen[model.name] = seen.get(model.name, 0) + 1
    return {m: m.name if seen[m.name] == 1 else f"{m.label}_{m.name}" for m in models}


def _mermaid(models: list[Model]) -> str:
    names = _names(models)
    lines = ["erDiagram"]
    for model in models:
        lines.append(f"  {names[model]}")
        for relation in _own(model):
            if relation.target is not None:
                target = names.get(relation.target, relation.target.name)
                lines.append(f"  {names[model]} {_ARROWS[relation.kind]} {target} : {relation.name}")
    return "\n".join(lines) + "\n"


def _graphviz(models: list[Model]) -> str:
    names = _names(models)
    lines = ["digraph models {", "  node [shape=box];"]
    for model in models:
        lines.append(f'  "{names[model]}";')
        for relation in _own(model):
            if relation.target is not None:
                target = names.get(relation.target, relation.target.name)
                style = ", dir=both" if relation.kind is Kind.MANY else ""
                lines.append(f'  "{names[model]}" -> "{target}" [label="{relation.name}"{style}];')
    return "\n".join([*lines, "}"]) + "\n"
