"""What a rule may ask about the file it looks at: a protocol that the engine fulfils. It never reaches the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import ast
    import re
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from charter.api.facts.names import PassedValue
    from charter.api.finding import Finding, Related, Step
    from charter.api.fix import Edit, Fix, InsertStatement, RemoveArgument, RemoveStatement, SetKeyword
    from charter.api.severity import Confidence, Severity
    from charter.api.text import Location, Span

    Place = ast.AST | Span | Location
    """Where a finding or an edit may point."""

    FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


N = TypeVar("N", bound="ast.AST")
T = TypeVar("T")


class Context(Protocol):
    """One file as one rule sees it. All places are offsets in code points of `text`."""

    @property
    def path(self) -> str:
        """The file, relative to the project's root, with forward slashes."""
        ...

    @property
    def text(self) -> str:
        """The file's whole text, line endings as they are in the file."""
        ...

    @property
    def tree(self) -> ast.Module:
        """The file's syntax tree. Rules read it and never change it."""
        ...

    @property
    def module(self) -> str:
        """The dotted name under which the file would be imported; "" if it has none."""
        ...

    @property
    def python(self) -> tuple[int, int]:
        """The oldest Python version that the project supports (`requires-python` or the settings)."""
        ...

    @property
    def purpose(self) -> str:
        """What the project's metadata say that it is for: its name, description and keywords, as they are written."""
        ...

    @property
    def is_test(self) -> bool:
        """Whether the file belongs to a test suite, by its name or folder."""
        ...

    @property
    def options(self) -> Mapping[str, object]:
        """The rule's own options: its defaults, overlaid with the settings."""
        ...

    def option(self, name: str, kind: type[T]) -> T:
        """One of the rule's options.

        Args:
            name: the option, as the rule's `options` name it.
            kind: what its default is; the settings have been held to that.

        Raises:
            TypeError: if the default is of another kind.
        """
        ...

    # Places
    def span(self, node: ast.AST) -> Span:
        """The offsets of a node; of a decorated definition without its decorators."""
        ...

    def location(self, place: Place) -> Location:
        """The place with lines and columns."""
        ...

    def source(self, node: ast.AST) -> str:
        """The text of a node, exactly as it stands in the file."""
        ...

    def name_span(self, node: ast.AST) -> Span:
        """The offsets of the name in a definition (`def NAME`, `class NAME`), an import alias or an attribute."""
        ...

    # Structure
    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds this one; None for the module."""
        ...

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around this one, from the inside out, the module last."""
        ...

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that is or holds the node."""
        ...

    def function(self, node: ast.AST) -> FunctionNode | None:
        """The innermost function around the node (not the node itself); lambdas are passed over."""
        ...

    def class_(self, node: ast.AST) -> ast.ClassDef | None:
        """The class whose body directly holds the function or statement around the node, if any."""
        ...

    def symbol(self, node: ast.AST) -> str:
        """Qualified name, within the module, of the innermost definition that is or holds the node."""
        ...

    def loop(self, node: ast.AST) -> ast.For | ast.AsyncFor | ast.While | ast.comprehension | None:
        """The innermost loop whose repeated part holds the node, within the same function; else None."""
        ...

    def nodes(self, kind: type[N], /, *, within: ast.AST | None = None) -> Sequence[N]:
        """All nodes of exactly this type, in source order: of the file, or only those below a node of it."""
        ...

    @property
    def reads(self) -> Mapping[str, Sequence[ast.Name]]:
        """The bare names of the file that need a value, by identifier and in source order: what is loaded or deleted."""
        ...

    @property
    def binds(self) -> Mapping[str, Sequence[ast.Name]]:
        """The bare names of the file that bind an identifier, likewise: what is stored or deleted."""
        ...

    @property
    def comments(self) -> Sequence[Span]:
        """Where the comments of the file stand, in order, each from its `#` to the end of its line."""
        ...

    @property
    def strings(self) -> Sequence[tuple[str, ast.Constant]]:
        """The constants of the file that are text, each behind its text, in source order."""
        ...

    @property
    def gets(self) -> Mapping[str, Sequence[ast.Attribute]]:
        """The attributes of the file that are read, by their own identifier and in source order."""
        ...

    @property
    def sets(self) -> Mapping[str, Sequence[ast.Attribute]]:
        """The attributes of the file that are stored or deleted, likewise."""
        ...

    def once(self, make: Callable[[Context], T]) -> T:
        """What a function makes of the file, which is called once however many nodes and rules ask for it.

        It may look at the text and the tree only: who asks for names and values is told of other files, and would be alone.
        """
        ...

    def says(self, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern of a module is found in the file's text; it is looked for once."""
        ...

    def walk(self, root: ast.AST, *, into_functions: bool = True) -> Iterator[ast.AST]:
        """The nodes below `root` in source order, without it; optionally not into nested functions or classes."""
        ...

    # Meaning
    def name(self, expression: ast.AST) -> str | None:
        """The qualified name that an expression refers to, through imports, aliases and scopes.

        `yaml.load` for `y.load` after `import yaml as y`; `builtins.open` for `open`; `pkg.mod.Class.method`
        for what this project defines; None where it is not certain. A call's result is not followed.
        """
        ...

    def type_name(self, expression: ast.AST) -> str | None:
        """The qualified name of the class of an expression's value where it is certain, else None."""
        ...

    def value(self, expression: ast.AST) -> object:
        """The constant that an expression has in every run, or `UNKNOWN`.

        Literals, names bound once, module and class constants, string building and containers are followed.
        """
        ...

    def usual(self, expression: ast.AST) -> object:
        """The constant that an expression has unless somebody says otherwise, or `UNKNOWN`.

        As `value`, but a parameter is its default, and a variable of the environment what is taken in its place.
        """
        ...

    def overrides(self, expression: ast.expr) -> Sequence[ast.expr]:
        """What the classes of this file that are based on the one around `self.name` bind its name to."""
        ...

    def origin(self, expression: ast.expr, *, usual: bool = False) -> ast.expr:
        """The expression that gives a name or `self` attribute its value, if it is bound once; else itself.

        It may stand elsewhere in the file; a fix must not take it for a part of the statement at hand. With `usual`, a
        parameter has its default.
        """
        ...

    def passed(self, parameter: ast.expr, keyword: str = "") -> Sequence[PassedValue]:
        """What calls in the project, those of tests left out, give to a parameter of a function.

        Args:
            parameter: a name that refers to a parameter, also through other names; `self.name` that is set to one.
            keyword: which keyword, if the parameter is a `**keywords`.

        Returns:
            One for each call that gives a constant, a name of one, or something with a sensitive name; none if the
            expression is no parameter.
        """
        ...

    def results(self, function: FunctionNode) -> Sequence[PassedValue]:
        """What the project calls the results of a function, where that is the name of something sensitive."""
        ...

    def made_by(self, expression: ast.expr) -> str:
        """The qualified name of the class or function of a library whose call made a value; "" if that is not known.

        Names bound once are followed, and functions of the project that return what such a call made.
        """
        ...

    def argument(self, call: ast.Call, position: int | None, keyword: str = "") -> ast.expr | None:
        """The argument of a call at a 0-based position or under a keyword; None if absent or hidden by `*`/`**`."""
        ...

    def is_bound(self, name: str, at: ast.AST) -> bool:
        """Whether a bare name means something (builtins included) in the scope of a node."""
        ...

    # Results
    def finding(
        self,
        at: Place,
        message: str,
        *,
        fix: Fix | None = None,
        fixes: Iterable[Fix] = (),
        related: Iterable[Related] = (),
        flow: Iterable[Step] = (),
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        tags: tuple[str, ...] = (),
    ) -> Finding:
        """A finding of this rule in this file; severity and confidence default to the rule's."""
        ...

    def related(self, at: Place, message: str) -> Related:
        """Another place that explains a finding."""
        ...

    def not_an_opportunity(self) -> None:
        """Say that what the rule was handed is none of its business, so that it does not count for the score."""
        ...

    # Edits
    def replace(self, place: ast.AST | Span, text: str) -> Edit:
        """Put text in the place of a node."""
        ...

    def insert(self, offset: int, text: str) -> Edit:
        """Put text at an offset."""
        ...

    def set_keyword(self, call: ast.Call, name: str, value: str) -> SetKeyword:
        """Give a call a keyword argument, replacing the value it has."""
        ...

    def remove_argument(self, call: ast.Call, argument: str | int) -> RemoveArgument:
        """Take an argument out of a call, by keyword or 0-based position."""
        ...

    def remove_statement(self, statement: ast.stmt) -> RemoveStatement:
        """Take a statement out."""
        ...

    def insert_before(self, statement: ast.stmt, text: str) -> InsertStatement:
        """Put lines, unindented, before a statement."""
        ...

    def insert_after(self, statement: ast.stmt, text: str) -> InsertStatement:
        """Put lines, unindented, behind a statement."""
        ...
