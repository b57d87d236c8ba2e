"""A library's model as values. It knows not how a model is written in TOML, and nothing of analysed programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping


class Argument(Struct, frozen=True):
    """Which part of a call is meant.

    Attributes:
        position: 0-based position; -1 for none.
        keywords: names of the same parameter; () for none.
        special: "self" (the receiver), "rest" (all positional arguments from `position` on), "all" (every
            argument), "keywords" (the values of all keyword arguments), "keyword-names" (the keys of `**mapping`),
            "return"; "" for an ordinary parameter.
        path: what of the argument: names of attributes (".name"), constant keys ("[name]"), any element
            ("[]"), or a reading of it: ":body" (of a tuple only the first element, of anything else all of it),
            ":program" (of a list the first element, or any behind a shell's `-c`; else all of it), ":arguments"
            (of a list the elements behind the first; else nothing), ":shell" (of a list what is behind a shell's `-c`).
    """

    position: int = -1
    keywords: tuple[str, ...] = ()
    special: str = ""
    path: tuple[str, ...] = ()


class Condition(Struct, frozen=True):
    """A demand on an argument's value.

    Attributes:
        argument: which argument.
        values: constants or qualified names of which it must be one; () demands only that it is given.
        negated: whether it must not be one of them (an absent argument is none of them).
    """

    argument: Argument
    values: tuple[object, ...] = ()
    negated: bool = False


class Source(Struct, frozen=True):
    """A name whose value (or, called, whose result) is untrusted.

    Attributes:
        name: the qualified name.
        kind: a kind of source.
        value: "text", or "object" where it may be a dictionary or list.
        says: what it is, in words; "" for its name.
        without: kinds of sinks for which it is harmless (an open file is no path).
        when: what the call must meet.
        part: what it has parts of: the "parameters" of the handler's route by name; the "path", which the route itself sets
            where it has no parameters, and the "address" with it; the "fields" of a form or schema, converted as they are declared; "" for none.
    """

    name: str
    kind: str
    value: str = "text"
    says: str = ""
    without: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    part: str = ""


class Sink(Struct, frozen=True):
    """A call, or an attribute when assigned, that is dangerous with untrusted data in certain arguments.

    Attributes:
        name: the qualified name; `?.name` for a method of whatever object.
        kind: a kind of sink.
        arguments: where the data must be.
        when: what the call must meet.
        like: "sql", "html" or "url" where only text counts that looks so; "code" where a NoSQL query is a text.
        severity: the severity of this sink; "" for the kind's own.
    """

    name: str
    kind: str
    arguments: tuple[Argument, ...]
    when: tuple[Condition, ...] = ()
    like: str = ""
    severity: str = ""


class Sanitizer(Struct, frozen=True):
    """A call whose result is safe for some kinds, whatever its arguments; kinds () means all."""

    name: str
    kinds: tuple[str, ...]
    arguments: tuple[Argument, ...]
    when: tuple[Condition, ...] = ()


class Guard(Struct, frozen=True):
    """A call whose truth (or normal return) shows that an argument is safe for some kinds; kinds () means all.

    Of outcome "signs" is a call whose result vouches for the argument, for who can tell it too; "agrees" compares the two.
    """

    name: str
    kinds: tuple[str, ...]
    arguments: tuple[Argument, ...]
    outcome: str = "true"
    when: tuple[Condition, ...] = ()


class Propagator(Struct, frozen=True):
    """A call that hands data on, from arguments to the result or another argument.

    What was one part of a path has slashes again behind most such calls, which decode it, but not where `segment` is set.
    """

    name: str
    origins: tuple[Argument, ...]
    target: Argument
    drops: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    segment: bool = False


class Callback(Struct, frozen=True):
    """A call that calls one of its arguments, handing it others."""

    name: str
    function: Argument
    passes: tuple[Argument, ...]
    returns: bool = False


class Registration(Struct, frozen=True):
    """A call that registers a handler."""

    call: str
    function: Argument
    route: Argument | None = None


class Handler(Struct, frozen=True):
    """Functions that a framework calls with untrusted data.

    Attributes:
        decorators: qualified names of decorators (called or bare) that make a function a handler.
        calls: calls that register one.
        classes: base classes whose `methods` are handlers; `*Name` means every class outside of which the name ends so.
        methods: names of those methods; `*` stands for anything but a leading underscore.
        functions: functions that are handlers by convention: by name (`lambda_handler`), by the names of their parameters
            (`*(scope, receive, send)`), or by both.
        route: the decorator's or registration's argument with the URL pattern.
        syntax: how patterns are written: "flask", "django", "regex", "braces", "colon", "pyramid"; "" for none.
        parameters: which parameters are untrusted: "route" (those of the pattern), "all", "typed" (all, judged
            by annotation, as FastAPI does), "none".
        types: position or name of a parameter (positions count without `self`) to the type of its value.
        tainted: positions or names of further parameters that are untrusted.
        kind: the kind of source.
        returns: what is made of the return value: "html", "json" (no HTML), "response" (what its own class says),
            "redirect" (an address), "gateway" (a dictionary with headers and a body), "wsgi" (the parts of a page).
        html: what the decorator's call must meet for the return value to be HTML after all.
        redirect: what it must meet for the return value to be an address.
        value: "text" or "object", as for sources.
        without: kinds of sinks for which what it is given is harmless, as for sources.
    """

    decorators: tuple[str, ...] = ()
    calls: tuple[Registration, ...] = ()
    classes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    route: Argument | None = None
    syntax: str = ""
    parameters: str = "route"
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    tainted: tuple[str, ...] = ()
    kind: str = "http"
    returns: str = "response"
    html: tuple[Condition, ...] = ()
    redirect: tuple[Condition, ...] = ()
    without: tuple[str, ...] = ()
    value: str = "text"


class Library(Struct, frozen=True):
    """All that is known of one library.

    Attributes:
        name: its name, for messages.
        packages: import names that bring it in; () for what always applies.
        requires: names of libraries whose models it builds on.
        types: name of a value, or of a call's result (ending in `()`), to the class of the value; a name that ends
            in `.*` stands for every attribute that is not listed.
        aliases: names that mean the same as another.
        bases: class to its base classes.
        fields: class of a form or schema field to the kinds its value is safe for; () for all.
        parameters: name of a parameter to the class of its value, where a module that imports one of `packages`
            leaves it without annotation.
        exits: functions that never return.
        validators: decorators of the methods that check the fields which they name.
        injectors: what a parameter's default or annotation calls where the framework calls a function for its value.
        bags: objects on which the handlers of a request leave things for each other.
    """

    name: str
    packages: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    bases: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    sources: tuple[Source, ...] = ()
    sinks: tuple[Sink, ...] = ()
    sanitizers: tuple[Sanitizer, ...] = ()
    guards: tuple[Guard, ...] = ()
    propagators: tuple[Propagator, ...] = ()
    callbacks: tuple[Callback, ...] = ()
    exits: tuple[str, ...] = ()
    validators: tuple[str, ...] = ()
    injectors: tuple[str, ...] = ()
    bags: tuple[str, ...] = ()
    handlers: tuple[Handler, ...] = ()
