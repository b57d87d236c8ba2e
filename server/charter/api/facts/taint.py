"""Flows of untrusted data into dangerous places, and the words for them. It knows no library and no analysis."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from charter.api.facts import Fact
from charter.api.severity import Confidence

if TYPE_CHECKING:
    from charter.api.finding import Step
    from charter.api.text import Location, Span

SINK_KINDS: dict[str, str] = {
    "sql": "SQL text",
    "nosql": "a NoSQL query: code (`$where`) or operators of an untrusted dictionary",
    "command": "a command line that a shell reads, or a program's name",
    "argument": "one argument of a program that is run without a shell",
    "code": "source code or the name of a module to import",
    "template": "the text of a template",
    "xss": "HTML sent to a browser",
    "path": "a path of the file system",
    "archive": "an archive that is unpacked with the paths it names",
    "ssrf": "the address of an outbound connection",
    "redirect": "the address a browser is sent to",
    "deserialization": "bytes that a deserializer turns into any object",
    "xxe": "XML for a parser that resolves external entities",
    "xml-bomb": "XML for a parser that expands internal entities without bound",
    "ldap": "an LDAP filter or distinguished name",
    "xpath": "an XPath expression",
    "xslt": "an XSLT style sheet",
    "log": "a log record",
    "header": "the name or value of a response header",
    "cookie": "the name or value of a cookie",
    "regex": "a regular expression",
    "redos": "text that a regular expression is matched against which can take quadratic time",
    "trust": "server-side state that is trusted later, such as a session",
    "format": "a format string (`str.format`) that can read attributes",
    "attribute": "the name of an attribute that is read or set",
    "mail": "the header of an e-mail",
    "csv": "a cell of a spreadsheet",
    "prompt": "the user part of a language model's prompt",
    "instructions": "the system part of a language model's prompt",
    "memcache": "a key of a text-protocol cache",
    "decompression": "compressed data that is unpacked whole",
}
"""Every kind of sink, with the data that arrives there."""

SOURCE_KINDS: dict[str, str] = {
    "http": "remote",
    "websocket": "remote",
    "graphql": "remote",
    "rpc": "remote",
    "tool": "remote",
    "function": "remote",
    "queue": "remote",
    "network": "remote",
    "mail": "remote",
    "chat": "remote",
    "ui": "remote",
    "archive": "remote",
    "cli": "local",
    "env": "local",
    "file": "local",
    "stdin": "local",
    "database": "stored",
    "model": "model",
}
"""Every kind of source, with its threat model: who controls the data."""


class Threat(Enum):
    """Who controls the data at the source."""

    REMOTE = "remote"
    """Anyone who can reach the program over a network."""
    LOCAL = "local"
    """The user who starts the program: arguments, environment, files, standard input."""
    STORED = "stored"
    """Whoever wrote it to a database earlier."""
    MODEL = "model"
    """The output of a language model, which untrusted prompts can steer."""


class Use(Struct, frozen=True):
    """A further sink that is given the path, address or name of a flow.

    Attributes:
        sink: qualified name of the API that is reached.
        location: its argument.
    """

    sink: str
    location: Location


class TaintFlow(Fact, frozen=True):
    """Untrusted data that reaches a sink without being made safe for it. Its location is the sink's argument.

    Attributes:
        sink_kind: a key of `SINK_KINDS`.
        sink: qualified name of the API that is reached, such as `sqlite3.Cursor.execute`.
        call: the span of the sink's whole call in the location's file.
        source: what the data is, such as "`request.args`".
        source_kind: a key of `SOURCE_KINDS`.
        threat: who controls it.
        certainty: how sure the analysis is that the data arrives as it was.
        detail: what is known of the value's place in the text: "host" or "path" of a URL, "value",
            "quoted" or "name" in SQL; of a slow pattern a text that was seen to be slow; "" where nothing is.
        steps: the stations from the source to the sink, both included.
        others: how many further flows end in the same argument with the same kind.
        weight: the severity that the library's model gives this sink; "" for the kind's own.
        also: what is given the same path, address or name later in the function.
        privileged: whether a function on the way is decorated to let only administrators, or users with a permission, in.
    """

    sink_kind: str = ""
    sink: str = ""
    call: Span | None = None
    source: str = ""
    source_kind: str = "http"
    threat: Threat = Threat.REMOTE
    certainty: Confidence = Confidence.HIGH
    detail: str = ""
    steps: tuple[Step, ...] = ()
    others: int = 0
    weight: str = ""
    also: tuple[Use, ...] = ()
    privileged: bool = False

    @property
    def kind(self) -> str:
        """The sink's kind, by which rules choose."""
        return self.sink_kind


class OwnText(Fact, frozen=True):
    """A call that would be dangerous with another's data, and is given text that the program itself has made.

    Its location is the call. Rules that look at the call alone are told by it that they may be silent (`Rule.excused_by`).
    """
