"""Finds SSH clients that accept any host key."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    AddImport,
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_TRANSPORTS: Final = frozenset({"paramiko.Transport.connect", "paramiko.transport.Transport.connect"})
_POLICIES: Final = frozenset(
    f"paramiko.{place}{name}" for place in ("", "client.") for name in ("AutoAddPolicy", "WarningPolicy")
)


@rule(
    ast.Call,
    ast.Assign,
    code="SEC025",
    principles=("verified-transport",),
    severity=Severity.HIGH,
    cwe=(295, 322),
    calls=(
        "*.set_missing_host_key_policy",
        "*.connect",
        "asyncssh.connect",
        "asyncssh.create_connection",
        "asyncssh.SSHClientConnectionOptions",
    ),
    mentions=("set_missing_host_key_policy", "asyncssh", "hostkeys", "Transport("),
    aliases=("B507", "S507"),
    references=("https://docs.paramiko.org/en/stable/api/client.html", "https://asyncssh.readthedocs.io/"),
)
def ssh_host_key_ignored(call: ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Know the key of the host you log in to.

    A client that accepts unknown host keys also accepts the one of an attacker who answers in the host's place, and then hands
    over passwords and commands. Load the known keys, and reject what is not among them.

    ```python bad
    import paramiko

    def client(host):
        made = paramiko.SSHClient()
        made.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `AutoAddPolicy` accepts the key of any host
        made.connect(host)
        return made
    ```
    ```python fixed
    import paramiko

    def client(host):
        made = paramiko.SSHClient()
        made.set_missing_host_key_policy(paramiko.RejectPolicy())
        made.connect(host)
        return made
    ```
    ```python good
    import paramiko

    def client(host):
        made = paramiko.SSHClient()
        made.load_system_host_keys()
        made.set_missing_host_key_policy(paramiko.RejectPolicy())
        made.connect(host)
        return made
    ```
    """
    if isinstance(call, ast.Assign):
        yield from _forgotten(call, ctx)
        return
    name = calls.called(ctx, call)
    if name.endswith(".connect") and not name.startswith("asyncssh."):
        if name in _TRANSPORTS and not ctx.is_test and _asks_no_key(call, ctx):
            yield ctx.finding(call, "a transport that is given no `hostkey` accepts the key of any host")
        else:
            ctx.not_an_opportunity()
        return
    if name.startswith("asyncssh."):
        hosts = calls.given(ctx, call, None, "known_hosts")
        if hosts is not None and ctx.value(hosts) is None and not ctx.is_test:
            yield ctx.finding(call, "`known_hosts=None` accepts the key of any host")
        return
    policy = ctx.argument(call, 0, "policy")
    if policy is None or ctx.is_test:
        return
    made = ctx.origin(policy)
    chosen = _policy(policy, made, ctx)
    if not chosen or calls.is_chosen(ctx, call) or calls.tries_out(ctx, call) or _is_no_login(call, ctx):
        return
    fix = None
    if made is policy:
        reject = "paramiko.RejectPolicy()" if isinstance(policy, ast.Call) else "paramiko.RejectPolicy"
        fix = Fix("Reject unknown hosts", (ctx.replace(policy, reject), AddImport("paramiko")), Grade.UNSAFE)
    yield ctx.finding(call, f"`{chosen.rpartition('.')[2]}` accepts the key of any host", fix=fix)


def _asks_no_key(connect: ast.Call, ctx: Context) -> bool:
    """Whether a transport of paramiko logs in and neither is told the host's key nor asked for it."""
    if calls.has_unpacking(connect) or calls.given(ctx, connect, 0, "hostkey") is not None:
        return False
    logs_in = any(calls.given(ctx, connect, None, name) is not None for name in ("password", "pkey"))
    return logs_in and "get_remote_server_key" not in ctx.source(
        ctx.class_(connect) or ctx.function(connect) or ctx.tree
    )


def _is_no_login(call: ast.Call, ctx: Context) -> bool:
    """Whether the host is attacked, or only tests run: nobody's password is at stake."""
    return re.search(r"(?:^|/)exploits?/", ctx.path) is not None or any(
        isinstance(parent, ast.If) and re.search(r"(?i)\btest|_test", ctx.source(parent.test)) is not None
        for parent in ctx.ancestors(call)
    )


def _policy(policy: ast.expr, made: ast.expr, ctx: Context) -> str:
    """The policy that accepts any key, if that is the one that is set; else ""."""
    for choice in calls.values_of(ctx, made.func if isinstance(made, ast.Call) else policy):
        if choice.name in _POLICIES:
            return choice.name
    name = ctx.made_by(policy)
    if name in _POLICIES or _accepts(made, ctx):
        return name
    return ""


def _accepts(made: ast.expr, ctx: Context) -> bool:
    """Whether a policy of the project's own lets every key pass: its method does nothing, or only remembers."""
    name = ctx.name(made.func if isinstance(made, ast.Call) else made)
    definition = next(
        (one for one in ctx.nodes(ast.ClassDef) if name is not None and ctx.name(one) == name), None
    )
    if definition is None:
        return False
    for method in definition.body:
        if isinstance(method, ast.FunctionDef) and method.name == "missing_host_key":
            return all(
                isinstance(statement, (ast.Pass, ast.Return))
                or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
                for statement in method.body
            )
    return False


def _forgotten(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """`options.hostkeys = None` of pysftp, which checks no key at all."""
    target = node.targets[0]
    if (
        isinstance(target, ast.Attribute)
        and target.attr == "hostkeys"
        and "pysftp" in ctx.text
        and isinstance(node.value, ast.Constant)
        and node.value.value is None
        and not ctx.is_test
    ):
        yield ctx.finding(node, "`hostkeys = None` accepts the key of any host")
    else:
        ctx.not_an_opportunity()
