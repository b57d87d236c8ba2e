"""Turns the flows that the engine found into facts: places with lines, steps in words, one fact a sink and kind."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final, cast

from charter.analysis.paths import is_test
from charter.analysis.taint.causes import CHECKED_ONCE, first_uses, names_behind
from charter.analysis.taint.values import ABSOLUTE, BIT, ELSEWHERE, WHOLE
from charter.api import Confidence, Location, Span, Step, regex
from charter.api.facts.taint import SOURCE_KINDS, OwnText, TaintFlow, Threat, Use
from charter.model import ir

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from charter.analysis.taint.frame import Flow, SinkSite, SourceSite
    from charter.analysis.taint.slow import Witnesses
    from charter.api import Fact
    from charter.model.project import Function, Module

_MOST_STEPS: Final = 16

_DEEDS: Final = {
    "sql": "is read as SQL", "nosql": "becomes part of a query", "command": "is read as a command",
    "argument": "becomes an argument of a program", "code": "is run as code", "template": "is read as a template",
    "xss": "is sent as HTML", "path": "names a file", "archive": "is unpacked", "ssrf": "says where to connect",
    "redirect": "says where the browser goes", "deserialization": "is deserialized", "xxe": "is parsed as XML",
    "xml-bomb": "is parsed as XML", "ldap": "becomes part of an LDAP query", "xpath": "is read as XPath",
    "xslt": "is read as XSLT", "log": "is written to the log", "header": "is sent as a header",
    "cookie": "is set as a cookie", "regex": "is compiled as a pattern", "trust": "is stored as trusted",
    "format": "is read as a format", "attribute": "names an attribute", "mail": "becomes a mail header",
    "csv": "becomes a cell", "prompt": "becomes part of a prompt", "instructions": "becomes an instruction",
    "memcache": "becomes a key", "redos": "is matched", "decompression": "is decompressed",
}  # fmt: skip
"""What happens to data at each kind of sink."""


_ORDINARY: Final = frozenset(
    {
        "log",
        "header",
        "regex",
        "redos",
        "trust",
        "format",
        "attribute",
        "mail",
        "csv",
        "prompt",
        "instructions",
        "argument",
    }
)
"""Sinks where what was stored earlier, or what a language model answers, is the ordinary case and no news."""


_STATEMENT: Final = regex(r"`(?:\w*sql\w*|query|statement)`")
"""Parameters of tools that run SQL, as sources tell of them."""
_PROGRAM: Final = regex(r"`(?:\w*(?:code|script|snippet|python|program)\w*|source|command|cmd)`")
"""Parameters of tools that run programs: who hands those an `expression` has asked for its value."""
_FILE: Final = regex(r"(?i)file|image|photo|picture|avatar|logo|upload|attach|document|archive|zip|media")
"""Names of fields that hold files."""
_OPENS: Final = frozenset(
    {"PIL.Image.open", "zipfile.ZipFile", "tarfile.open", "pandas.read_csv", "pandas.read_excel"}
)
"""Functions that read an open file as well as one by its name."""
_WRITES: Final = frozenset(
    {"builtins.open", "io.open", "pathlib.Path.open", "pathlib.Path.write_bytes", "pathlib.Path.write_text"}
)
"""Functions that members of archives are written with."""
_PRIVILEGES: Final = regex(r"(?i)admin|superuser|staff|permission|has_perm")
"""Words of decorators that let in only those with a role."""
_ADMINISTRATORS: Final = regex(
    r"(?i)(?:requires?|needs?|only|is)_?(?:super_?)?(?:admin|staff|superuser)|(?:admin|staff|superuser)\w*_(?:required|only)|(?-i:^ADMIN$)"
)
"""Words of decorators that let in only those who run the program."""
_OF_BROWSER: Final = regex(
    r"(?i)referr?er|(?:headers|get_header|META|environ)(?:\(\))? (?:http_)?(?:x[-_]forwarded[-_])?(?:host|proto|scheme|port|server_name)$"
)
"""Headers that a link cannot set in the browser of who follows it: the site that it leads to, and where it stands."""


_BY_BROWSER: Final = regex(
    r"(?i)(?:headers|get_header|META|environ)(?:\(\))? (?:http_)?(?:host|content[-_](?:type|length)|accept(?:[-_]\w+)?|authorization)$"
    r"|\.(?:host|content_type|mimetype)(?:\(\))? None$"
)
"""What a browser writes into its requests itself, whatever the link or form says that it follows."""
_OF_PROGRAMS: Final = frozenset({"PUT", "PATCH", "DELETE"})
"""Methods of HTTP that a browser uses for scripts alone."""
_OF_CLIENT: Final = regex(
    r"HTTP_\w+|(?:QUERY_STRING|PATH_INFO|REQUEST_URI|RAW_URI|SCRIPT_NAME|CONTENT_TYPE|CONTENT_LENGTH|REQUEST_METHOD|wsgi\.input)"
)
"""What a client writes into WSGI's `environ`."""
_FAR: Final = 4
"""Through how many calls what names an attribute stays what came in."""
_ASSIGNED: Final = regex(r"assigned to `(\w+)`")
_FROM_BROWSER: Final = {"redirect": _OF_BROWSER, "xss": _BY_BROWSER}


class Places:
    """Positions as locations."""

    def __init__(self) -> None:
        self._starts: dict[Module, array[int]] = {}

    def location(self, function: Function, position: int) -> Location:
        """The location of a position in a function."""
        line, column, last, end_column = ir.place(function.record, position)
        line += function.line
        last += function.line
        module = function.module
        starts = self._starts.get(module)
        if starts is None:
            starts = array("I")
            starts.frombytes(module.record[ir.LINES])
            self._starts[module] = starts
        lines = len(starts)
        start = starts[min(line, lines) - 1] + column
        end = starts[min(last, lines) - 1] + end_column
        return Location(module.path, Span(start, end), line, column, last, end_column)


def facts(
    flows: Iterable[Flow],
    own: Iterable[tuple[Function, int]],
    threats: frozenset[str],
    witnesses: Witnesses,
) -> dict[str, list[Fact]]:
    """The facts of a project by file.

    Args:
        flows: what the engine found, in any order.
        own: the calls that are given the program's own text.
        threats: the threat models that matter.
        witnesses: finds texts on which a pattern is slow.

    Returns:
        For each sink expression and kind one fact: that of the shortest flow, with the number of the others. Sinks that
        use the same path, address or name are one.
    """
    grouped: dict[Any, dict[Any, Flow]] = {}
    for flow in flows:
        site = flow.site
        if not _is_news(flow, threats):
            continue
        key = (site.function, site.position, site.kind)
        group = grouped.setdefault(key, {})
        source = (flow.source.name, flow.source.key, flow.source.function, flow.source.position)
        known = group.get(source)
        if known is None or _length(flow) < _length(known):
            group[source] = flow
    places = Places()
    result: dict[str, list[Fact]] = {}
    later = _later_uses(grouped)
    for (function, position, kind), group in grouped.items():
        if kind == "archive" and (function, position, "path") in grouped:
            continue
        best = min(group.values(), key=_order)
        uses = later.get(best.site, ())
        if uses is None:
            continue
        detail = _detail(best, witnesses)
        if kind == "redos" and not detail:
            continue  # no text was found on which the pattern is slow
        fact = _fact(best, len(group) - 1, places, uses, detail)
        result.setdefault(fact.location.path, []).append(fact)
    for function, position in own:
        location = places.location(function, position)
        result.setdefault(location.path, []).append(OwnText(location))
    for found in result.values():
        found.sort(key=lambda fact: (fact.location.span, fact.kind))
    return result


def _later_uses(
    grouped: Mapping[Any, Mapping[Any, Flow]],
) -> dict[SinkSite, Sequence[SinkSite] | None]:
    """By sink the others that use what it is the first to use; None for one of those others."""
    together: dict[Any, dict[SinkSite, frozenset[Any]]] = {}
    for (function, _, kind), group in grouped.items():
        if kind in CHECKED_ONCE:
            site = min(group.values(), key=_order).site
            together.setdefault((function, kind), {})[site] = frozenset(group)
    result: dict[SinkSite, Sequence[SinkSite] | None] = {}
    for sites in together.values():
        for first, others in first_uses(sites).items() if len(sites) > 1 else ():
            result[first] = others
            result.update(dict.fromkeys(others))
    return result


def _is_news(flow: Flow, threats: frozenset[str]) -> bool:
    """Whether a flow is worth a word: of a threat that matters, from somebody else, and told nowhere else."""
    source, site = flow.source, flow.site
    threat = SOURCE_KINDS[source.kind]
    if threat not in threats or (threat in {"model", "stored"} and site.kind in _ORDINARY):
        return False
    if site.name in _OPENS and _FILE.search(str(source.key) + (source.says or "")):
        return False  # an upload that is read, not a path
    if site.name in _WRITES and site.kind == "archive" and source.kind != "archive":
        return False  # it is told as a path
    if site.kind == "attribute" and len(flow.chain) > _FAR:
        return False  # what goes that far has been taken apart on the way, by the names that are known
    if source.kind == "network" and site.kind == "xss":
        return False  # a proxy hands on what another server has sent
    if source.kind == "queue" and _is_of_this_machine(source):
        return False
    if _is_of_tool(source) and _is_asked_for(flow):
        return False
    if site.kind in {"redirect", "ssrf", "xss", "path"} and _is_harmless_here(flow):
        return False
    return not (_is_of_server(source) or _is_of_test(flow))


def _is_harmless_here(flow: Flow) -> bool:
    """Whether an address, a piece of a page or a path does no harm by where it comes from.

    The page from which a visitor comes is where a redirect to `Referer` leads back to: who can write it has the visitor already.
    The browser itself writes into `Host` which site it asks, and a proxy of one's own passes that on.
    For the same reason nobody else's scripts stand in the headers that it writes alone, and that only their sender sees again.
    A browser shows nobody what answers a `DELETE`, which neither a link nor a form can send.
    Who asks whether there is a file at a whole path means no folder to stay in, and learns no more.
    A form of which nothing is known may be one that lets choose among the files of a folder.
    An administrator may let the server connect to where the program was told to in its settings as well.
    """
    if flow.site.kind == "path":
        if flow.site.severity and flow.site.detail == WHOLE:
            return True
        return flow.source.key is None and flow.source.name.endswith(".cleaned_data")
    if flow.site.kind == "xss" and _is_never_shown(flow.source.function):
        return True
    if flow.site.kind in _FROM_BROWSER:
        return _FROM_BROWSER[flow.site.kind].search(f"{flow.source.name} {flow.source.key}") is not None
    return _is_decorated(flow, _ADMINISTRATORS)


def _is_never_shown(handler: Function) -> bool:
    """Whether a handler is routed for nothing but methods that only programs use, of which scripts read the answer."""
    words = {word.upper() for word in _words(handler.record[ir.DECORATORS])}
    return not words.isdisjoint(_OF_PROGRAMS) and words.isdisjoint({"GET", "POST"})


def _is_of_tool(source: SourceSite) -> bool:
    """Whether it is what a language model's tool is called with, and not what a model has answered."""
    return source.kind == "tool" or (source.kind == "model" and source.says.startswith("parameter "))


def _is_asked_for(flow: Flow) -> bool:
    """Whether a language model's tool does with what it is given what its user has it for.

    It takes a path as it is given to work on its user's files, wherever they are, fetches the page that it is told, and runs the
    command, the code and the SQL that it is asked to run; with a pattern its user slows down nobody else.
    """
    if flow.site.kind == "path":
        return flow.site.detail == WHOLE and bool(flow.bits & ABSOLUTE)
    if flow.site.kind == "code":
        return flow.site.detail == WHOLE and _PROGRAM.search(_given_as(flow)) is not None
    if flow.site.kind in {"ssrf", "command"}:
        return flow.site.detail == WHOLE
    if flow.site.kind == "sql":
        return not flow.site.detail and _STATEMENT.search(_given_as(flow)) is not None
    return flow.site.kind in {"regex", "redos"}


def _given_as(flow: Flow) -> str:
    """What a tool calls what it is given: its parameter, or the key in its dictionary of arguments."""
    return f"{flow.source.says} `{flow.source.key}`"


def _is_of_server(source: SourceSite) -> bool:
    """Whether an item of WSGI's `environ` was put there by the server or by a layer of the program, as `CSRF_COOKIE` is."""
    return (
        source.name.endswith((".environ", ".META", "wsgi.Environ.get", "wsgi.Environ.__getitem__"))
        and isinstance(source.key, str)
        and _OF_CLIENT.fullmatch(source.key) is None
    )


def _is_of_this_machine(source: SourceSite) -> bool:
    """Whether a socket is bound, where it is read, to an address that only programs of the same machine reach."""
    body = source.function.record[ir.BODY]
    return (b"ipc://" in body or b"inproc://" in body) and b"tcp://" not in body


def _is_of_test(flow: Flow) -> bool:
    """Whether it is a test that hands its own data to the code that it tests, or a page of its server, which has no visitors."""
    if not is_test(flow.source.function.module.path):
        return False
    return flow.site.kind == "xss" or not is_test(flow.site.function.module.path)


def _length(flow: Flow) -> int:
    return len(flow.chain) + len(flow.steps)


def _order(flow: Flow) -> tuple[Any, ...]:
    source = flow.source
    return (
        SOURCE_KINDS[source.kind] != "remote",
        len(flow.chain),
        len(flow.steps),
        source.function.module.path,
        source.function.line,
        source.position,
        source.name,
    )


def _fact(flow: Flow, others: int, places: Places, uses: Sequence[SinkSite], detail: str) -> TaintFlow:
    site = flow.site
    location = places.location(site.function, site.position)
    return TaintFlow(
        location,
        sink_kind=site.kind,
        sink=site.name,
        call=places.location(site.function, site.call).span,
        source=described(flow.source),
        source_kind=flow.source.kind,
        threat=Threat(SOURCE_KINDS[flow.source.kind]),
        certainty=_certainty(flow),
        detail=detail,
        steps=_steps(flow, places, location),
        others=others,
        weight="" if any(not one.severity for one in uses) else site.severity,
        also=tuple(Use(one.name, places.location(one.function, one.position)) for one in uses),
        privileged=_is_privileged(flow),
    )


def _is_privileged(flow: Flow) -> bool:
    """Whether a decorator on the way lets only administrators, or users with a permission, in."""
    return _is_decorated(flow, _PRIVILEGES)


def _is_decorated(flow: Flow, words: re.Pattern[str]) -> bool:
    """Whether a decorator of a function on the way has one of some words."""
    functions = {flow.source.function, flow.function, *(function for function, _ in flow.chain)}
    return any(
        words.search(word) for function in functions for word in _words(function.record[ir.DECORATORS])
    )


def _words(node: object) -> Iterator[str]:
    """The names and texts in a piece of IR."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, tuple):
        for part in cast("tuple[object, ...]", node):
            yield from _words(part)


def _detail(flow: Flow, witnesses: Witnesses) -> str:
    if flow.site.kind == "ssrf":
        return "host" if flow.bits & BIT["ssrf"] else "path"
    if flow.site.kind == "path":
        return "folder" if not flow.bits & BIT["path"] else ""
    if flow.site.kind == "redirect":
        return "slashes" if not flow.bits & ELSEWHERE else ""
    if flow.site.kind == "redos":
        return witnesses.of(flow.site.detail, flow.site.function)
    return flow.site.detail


def _certainty(flow: Flow) -> Confidence:
    """Long ways through many functions leave more room for checks that the analysis does not understand."""
    if flow.site.name.startswith("?"):
        return Confidence.MEDIUM
    looked_at = flow.source.part in {"fields", "segment"} or "`attrs`" in flow.source.says
    if flow.site.kind == "path" and looked_at:
        return Confidence.MEDIUM  # a field may be a file, a choice or a slug; no slash is in a segment
    if flow.site.kind == "log" and not _is_handed_on(flow):
        return Confidence.MEDIUM  # it has been kept: most of what is kept has been looked at
    return Confidence.HIGH if len(flow.chain) <= 3 else Confidence.MEDIUM


def _is_handed_on(flow: Flow) -> bool:
    """Whether data goes from where it comes in to the sink by calls and returns alone, not by an attribute or a module's name."""
    source, scope = flow.source.function, flow.function
    while scope is not None:
        if scope is source:
            return True
        scope = scope.parent
    returned = f"returned by `{source.short}`"
    return any(message == returned for _, message in flow.steps)


def described(source: SourceSite) -> str:
    """A source in words: "`request.args["id"]`"."""
    if source.says:
        return source.says
    parts = source.name.replace("()", "").split(".")
    short = ".".join(parts[-2:]) if len(parts) > 1 else source.name
    owner, dot, last = short.partition(".")
    if owner[:1].isupper():
        short = f"{_OWNERS.get(owner, owner)}{dot}{last}"
    return f"`{short}[{source.key!r}]`".replace("'", '"') if isinstance(source.key, str) else f"`{short}`"


_OWNERS: Final = {
    "HttpRequest": "request",
    "Request": "request",
    "HTTPServerRequest": "request",
    "BaseRequest": "request",
    "HTTPConnection": "request",
}


def _steps(flow: Flow, places: Places, sink: Location) -> tuple[Step, ...]:
    steps = [
        Step(
            places.location(flow.source.function, flow.source.position),
            f"{described(flow.source)} comes in here",
        )
    ]
    end = flow.chain[0][1] if flow.chain else flow.site.position
    used = places.location(flow.function, end)
    names = names_behind(flow.function, end)
    for position, message in flow.steps:
        place = places.location(flow.function, position)
        assigned = _ASSIGNED.fullmatch(message)
        if place.span.start >= used.span.end or (names and assigned is not None and assigned[1] not in names):
            continue  # what happens later, or to something else, is no part of the way
        steps.append(Step(place, message, essential=message.startswith("returned")))
    if flow.chain:
        callees = [function for function, _ in flow.chain[1:]] + [flow.site.function]
        for (function, position), callee in zip(flow.chain, callees, strict=True):
            steps.append(
                Step(places.location(function, position), f"passed to `{callee.name or callee.module.name}`")
            )
    name = flow.site.name.removeprefix("?.")
    steps.append(
        Step(
            sink,
            f"{_DEEDS[flow.site.kind]} by `{name}`"
            if "." in name or name.isidentifier()
            else _DEEDS[flow.site.kind],
        )
    )
    return tuple(_without_repeats(steps))


def _without_repeats(steps: list[Step]) -> list[Step]:
    result: list[Step] = []
    for step in steps:
        if not result or step.location != result[-1].location or step.message != result[-1].message:
            result.append(step)
    if len(result) > _MOST_STEPS:
        result = [*result[: _MOST_STEPS // 2], *result[-_MOST_STEPS // 2 :]]
    return result
