"""Clients, connections and pools that are costly to make, and what each is called. It follows none through a program."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter_rules import shapes

if TYPE_CHECKING:
    from charter.api import Context

CLIENTS: Final = {
    "requests.Session": "session",
    "requests.session": "session",
    "httpx.Client": "client",
    "httpx.AsyncClient": "client",
    "aiohttp.ClientSession": "session",
    "boto3.client": "client",
    "boto3.resource": "client",
    "boto3.Session": "session",
    "redis.Redis": "client",
    "redis.StrictRedis": "client",
    "pymongo.MongoClient": "client",
    "sqlalchemy.create_engine": "engine",
    "sqlalchemy.ext.asyncio.create_async_engine": "engine",
    "psycopg2.connect": "connection",
    "psycopg.connect": "connection",
    "pymysql.connect": "connection",
    "sqlite3.connect": "connection",
    "smtplib.SMTP": "connection",
    "smtplib.SMTP_SSL": "connection",
    "paramiko.SSHClient": "client",
    "elasticsearch.Elasticsearch": "client",
    "kafka.KafkaProducer": "producer",
    "openai.OpenAI": "client",
    "anthropic.Anthropic": "client",
    "concurrent.futures.ThreadPoolExecutor": "pool",
    "concurrent.futures.ProcessPoolExecutor": "pool",
    "multiprocessing.Pool": "pool",
    "jinja2.Environment": "environment",
}
"""By the qualified name of what makes one."""


def depends_on(call: ast.Call, function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether an argument has a name of the function's own, or is given by something that is called or awaited."""
    return any(
        isinstance(node, (ast.Call, ast.Await))
        or (isinstance(node, ast.Name) and bool(shapes.bindings(node.id, function, ctx)))
        for part in (*call.args, *call.keywords)
        for node in ast.walk(part)
    )


def is_kept(call: ast.Call, ctx: Context) -> bool:
    """Whether what is made outlives the function: it is stored, handed on, or made when it is not there yet."""
    parent = ctx.parent(call)
    if isinstance(parent, (ast.Call, ast.keyword, ast.Return, ast.BoolOp, ast.NamedExpr)):
        return True
    if isinstance(parent, (ast.Assign, ast.AnnAssign)):
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        function = ctx.function(call)
        shared = {name for node in ctx.nodes(ast.Global, within=function) for name in node.names}
        return any(not isinstance(target, ast.Name) or target.id in shared for target in targets)
    return False
