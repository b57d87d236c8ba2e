"""Finds connections to databases, brokers and cloud services that are told to do without encryption."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter_rules import calls, hosts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.api import Context, Finding

_POSTGRES: Final = {"sslmode": ("disable", "allow"), "ssl": ("disable", "allow")}
_MYSQL: Final = {"ssl_disabled": (True,), "ssl_mode": ("DISABLED", "disabled")}
_BY_ADDRESS: Final[Mapping[str, tuple[object, ...]]] = {}
_CLOUD: Final = {"use_ssl": (False,)}
_SEARCH: Final = {"use_ssl": (False,), "scheme": ("http",)}
_SWITCHES: Final[Mapping[str, Mapping[str, tuple[object, ...]]]] = {
    **dict.fromkeys(
        ("psycopg2.connect", "psycopg.connect", "psycopg.Connection.connect", "psycopg.AsyncConnection.connect", "asyncpg.connect",
         "asyncpg.create_pool", "psycopg_pool.ConnectionPool", "psycopg2.pool.SimpleConnectionPool",
         "psycopg2.pool.ThreadedConnectionPool", "aiopg.connect", "aiopg.create_pool", "peewee.PostgresqlDatabase"),
        _POSTGRES,
    ),
    **dict.fromkeys(("pymysql.connect", "MySQLdb.connect", "mysql.connector.connect"), _MYSQL),
    **dict.fromkeys(("sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine"), _BY_ADDRESS),
    **dict.fromkeys(
        ("boto3.client", "boto3.resource", "boto3.session.Session.client", "boto3.session.Session.resource", "boto3.Session.client",
         "boto3.Session.resource", "botocore.session.Session.create_client"),
        _CLOUD,
    ),
    **dict.fromkeys(("elasticsearch.Elasticsearch", "opensearchpy.OpenSearch"), _SEARCH),
    "minio.Minio": {"secure": (False,)},
}  # fmt: skip
"""By function: the arguments, and their values, that switch encryption off."""
_PLAIN_MODE: Final = regex(r"(?i)[?&\s]ssl_?mode=(disabled?|allow)\b")
_FOLDERS: Final = frozenset({"tempfile.mkdtemp", "tempfile.TemporaryDirectory"})
"""What makes folders; a folder in the place of a host holds the socket of a server on the machine."""
_HOSTS: Final = ("host", "hosts", "hostname", "endpoint", "endpoint_url")


@rule(
    ast.Call,
    code="SEC131",
    principles=("verified-transport",),
    severity=Severity.MEDIUM,
    cwe=(319,),
    calls=(*_SWITCHES, "*.client", "*.resource"),
    mentions=("use_ssl", "sslmode", "ssl_mode", "ssl_disabled", "ssl", "secure"),
    references=(
        "https://www.postgresql.org/docs/current/libpq-ssl.html",
        "https://cwe.mitre.org/data/definitions/319.html",
    ),
)
def encryption_switched_off(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Leave the encryption of connections on.

    Drivers of databases and clients of cloud services encrypt if you let them. `sslmode=disable` or `use_ssl=False` sends the password, every
    query and every answer as they are: everyone on the way can read and change them. Connections to the machine itself are not reported.

    ```python bad
    import psycopg2

    def connect(password):
        return psycopg2.connect(host="db.shop.net", password=password, sslmode="disable")
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `sslmode=disable` sends everything unencrypted
    ```
    ```python good
    import psycopg2

    def connect(password):
        return psycopg2.connect(host="db.shop.net", password=password, sslmode="verify-full")

    def try_out(password):
        return psycopg2.connect(host="localhost", password=password, sslmode="disable")
    ```
    """
    name = calls.called(ctx, call)
    switches = _SWITCHES.get(name)
    if switches is None:
        ctx.not_an_opportunity()
        return
    found = _by_argument(call, switches, ctx) or _by_address(call, ctx)
    if found and not (ctx.is_test or calls.is_chosen(ctx, call) or _is_near(call, name, ctx)):
        yield ctx.finding(call, f"`{found}` sends everything unencrypted")


def _by_argument(call: ast.Call, switches: Mapping[str, tuple[object, ...]], ctx: Context) -> str:
    """The argument that switches encryption off, as `name=value`; "" if none does."""
    for argument, off in switches.items():
        value = calls.value(ctx, call, None, argument, default=None)
        if any(type(value) is type(one) and value == one for one in off):
            return f"{argument}={value}"
    return ""


def _by_address(call: ast.Call, ctx: Context) -> str:
    """What the address, or the settings of a driver in one text, say."""
    if not call.args:
        return ""
    match = _PLAIN_MODE.search(ctx.source(ctx.origin(call.args[0])))
    return match[0].strip(" ?&\n") if match else ""


def _is_near(call: ast.Call, name: str, ctx: Context) -> bool:
    """Whether the connection stays on the machine, or goes where an address says that is given beside (so cloud clients ignore the switch)."""
    if name.startswith("boto") and calls.keyword(call, "endpoint_url"):
        return True
    places = [item.value for item in call.keywords if item.arg in _HOSTS]
    if any(isinstance(host := ctx.value(place), str) and hosts.is_near(host) for place in places):
        return True
    if any(ctx.made_by(place) in _FOLDERS for place in places):
        return True
    return any(hosts.speaks_of_near(ctx.source(ctx.origin(place))) for place in (*call.args, *places))
