"""Finds cloud storage, databases, networks and rights that are opened to everybody, in `boto3` and in the AWS CDK."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Final, cast

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_PUBLIC_ACLS: Final = frozenset({"public-read", "public-read-write", "authenticated-read"})
_CDK_ACLS: Final = frozenset({"PUBLIC_READ", "PUBLIC_READ_WRITE", "AUTHENTICATED_READ"})
_FOR_ALL: Final = regex(r"(?i)^(?:\w+\.)*(?:is_|make_)?public(?:_read|ly_accessible)?$")
"""Conditions by which somebody asks for what everybody may read."""
_WEB: Final = frozenset({80, 443})
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_BLOCKS: Final = frozenset(
    {"block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets"}
)
_POLICIES: Final[dict[str, str]] = {
    "put_bucket_policy": "Policy",
    "create_policy": "PolicyDocument",
    "create_policy_version": "PolicyDocument",
    "put_role_policy": "PolicyDocument",
    "put_user_policy": "PolicyDocument",
    "put_group_policy": "PolicyDocument",
    "put_resource_policy": "ResourcePolicy",
    "create_queue": "Attributes",
    "set_queue_attributes": "Attributes",
}
"""Methods that set a policy, and the keyword that takes it."""
_WHAT: Final[dict[str, str]] = {
    "put_bucket_policy": "bucket",
    "create_queue": "queue",
    "set_queue_attributes": "queue",
}
_WEB_PORTS: Final = frozenset({"HTTP", "HTTPS"})


@rule(
    ast.Call,
    code="SEC063",
    principles=("hardened-defaults",),
    severity=Severity.MEDIUM,
    cwe=(732, 284),
    calls=(
        "*.create_bucket", "*.put_bucket_acl", "*.put_object", "*.put_object_acl", "*.upload_file", "*.upload_fileobj",
        "*.authorize_security_group_ingress", "*.authorize_ingress", "*.create_db_instance", "*.modify_db_instance",
        "*.make_public", "*.create_container", "*.put_bucket_policy", "*.put_public_access_block",
        "*.Bucket", "*.BlockPublicAccess", "*.DatabaseInstance", "*.DatabaseCluster", "*.CfnDBInstance",
        "*.add_ingress_rule", "*.allow_from_any_ipv4", "*.allow_default_port_from_any_ipv4", "*.PolicyStatement",
        "*.CfnReplicationInstance", "*.CfnBucket", "*.grant_public_access", "*.delete_public_access_block",
        "*.create_policy", "*.create_policy_version", "*.put_role_policy", "*.put_user_policy", "*.put_group_policy",
        "*.create_queue", "*.set_queue_attributes", "*.put_resource_policy",
    ),
    mentions=("boto3", "aioboto3", "google.cloud", "azure.storage", "aws_cdk"),
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
        "https://docs.aws.amazon.com/cdk/api/v2/python/",
    ),
)  # fmt: skip
def public_cloud_resource(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Open cloud resources to those who need them.

    A bucket or database that everybody may read is found by scanners within hours. Grant access to roles, and give single objects out by signed
    addresses that expire.

    ```python bad
    import boto3

    def upload(path):
        boto3.client("s3").upload_file(path, "invoices", path, ExtraArgs={"ACL": "public-read"})
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ everybody may read it: its access is `public-read`
    ```
    ```python good
    import boto3

    def upload(path):
        boto3.client("s3").upload_file(path, "invoices", path)
    ```
    """
    message = "" if ctx.is_test else _in_cdk(call, ctx) if "aws_cdk" in ctx.text else _in_client(call, ctx)
    if message and not _is_asked_for(call, ctx):
        yield ctx.finding(call, message)


def _is_asked_for(call: ast.Call, ctx: Context) -> bool:
    """Whether the resource is opened only if somebody says that it is for everybody: `if make_public`."""
    return any(_FOR_ALL.search(ctx.source(branch.test)) for branch in shapes.conditions(call, ctx))


def _in_client(call: ast.Call, ctx: Context) -> str:
    """What a call of `boto3` or another client library opens; "" if nothing."""
    acl = calls.value(ctx, call, None, "ACL")
    extra = calls.given(ctx, call, None, "ExtraArgs")
    if extra is not None:
        entry = calls.entry(ctx.origin(extra), "ACL")
        acl = ctx.value(entry) if entry is not None else acl
    if acl in _PUBLIC_ACLS:
        return f"everybody may {'change' if acl == 'public-read-write' else 'read'} it: its access is `{acl}`"
    if calls.value(ctx, call, None, "PubliclyAccessible") is True:
        return "the database is reachable from the Internet: `PubliclyAccessible` is on"
    last = calls.identifier(call.func)
    if last.startswith("authorize_"):
        return "the port is open to every address of the Internet" if _opens_port(call, ctx) else ""
    if last == "delete_public_access_block":
        return "the bucket may be opened to everybody: its blocks of public access are taken away"
    if last in _POLICIES:
        statements = list(_statements(call, _POLICIES[last], ctx))
        if any(one.get("Principal") in ("*", {"AWS": "*"}) for one in statements):
            return f"everybody may use the {_WHAT.get(last, 'resource')}: the principal of its policy is `*`"
        if any(_is_all(one.get("Action")) and _is_all(one.get("Resource")) for one in statements):
            return "the policy allows everything on everything"
        return ""
    if last == "put_public_access_block":
        blocks = calls.value(ctx, call, None, "PublicAccessBlockConfiguration")
        off = isinstance(blocks, dict) and any(
            one is False for one in cast("dict[str, object]", blocks).values()
        )
        return "the bucket may be opened to everybody: a block of public access is off" if off else ""
    if last == "create_container" and calls.value(ctx, call, None, "public_access") in {"container", "blob"}:
        return "everybody may read what the container holds"
    return ""


def _opens_port(call: ast.Call, ctx: Context) -> bool:
    """Whether a rule of a security group lets every address reach a port that is none of the web."""
    if calls.value(ctx, call, None, "CidrIp") in _EVERYWHERE:
        return calls.value(ctx, call, None, "FromPort") not in _WEB
    rules = calls.value(ctx, call, None, "IpPermissions")
    for each in cast("list[object]", rules) if isinstance(rules, list) else []:
        if isinstance(each, dict):
            item = cast("dict[str, object]", each)
            ranges = str([item.get("IpRanges"), item.get("Ipv6Ranges")])
            if (
                any(f"'{everywhere}'" in ranges for everywhere in _EVERYWHERE)
                and item.get("FromPort") not in _WEB
            ):
                return True
    return False


def _statements(call: ast.Call, keyword: str, ctx: Context) -> Iterator[dict[str, object]]:
    """What a policy allows without a condition, as far as it is written out."""
    given = calls.given(ctx, call, None, keyword)
    if given is not None and keyword == "Attributes":
        given = calls.entry(ctx.origin(given), "Policy")
    policy = None if given is None else ctx.origin(given)
    if isinstance(policy, ast.Call) and ctx.name(policy.func) == "json.dumps" and policy.args:
        document = ctx.value(policy.args[0])
    else:
        text = None if policy is None else ctx.value(policy)
        try:
            document = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            return
    statements = cast("dict[str, object]", document).get("Statement") if isinstance(document, dict) else None
    for each in cast("list[object]", statements if isinstance(statements, list) else [statements]):
        if isinstance(each, dict):
            item = cast("dict[str, object]", each)
            if item.get("Effect") == "Allow" and "Condition" not in item:
                yield item


def _is_all(said: object) -> bool:
    return said in ("*", ["*"])


def _in_cdk(call: ast.Call, ctx: Context) -> str:
    """What a construct of the CDK opens; "" if nothing."""
    last = calls.identifier(call.func)
    if calls.value(ctx, call, None, "public_read_access") is True:
        return "everybody may read the bucket: `public_read_access` is on"
    access = calls.qualified(ctx, calls.given(ctx, call, None, "access_control"))
    if access.rpartition(".")[2] in _CDK_ACLS:
        return f"everybody may read the bucket: its access is `{access.rpartition('.')[2]}`"
    if calls.value(ctx, call, None, "publicly_accessible") is True:
        return "the database is reachable from the Internet: `publicly_accessible` is on"
    if last == "BlockPublicAccess":
        off = sorted(name for name in _BLOCKS if calls.value(ctx, call, None, name) is False)
        return f"the bucket may be opened to everybody: `{off[0]}` is off" if off else ""
    if last == "add_ingress_rule":
        peer = ctx.argument(call, 0, "peer")
        anybody = peer is not None and _is_anybody(peer, ctx)
        return (
            "the port is open to every address of the Internet"
            if anybody and not _is_web(call, 1, ctx)
            else ""
        )
    if last.startswith("allow_") and not (last == "allow_from_any_ipv4" and _is_web(call, 0, ctx)):
        return "the port is open to every address of the Internet"
    if last == "grant_public_access":
        return "everybody may read the bucket: `grant_public_access` lets them"
    if last == "PolicyStatement":
        return _statement(call, ctx)
    return ""


def _is_anybody(peer: ast.expr, ctx: Context) -> bool:
    made = ctx.origin(peer)
    if not isinstance(made, ast.Call):
        return False
    last = calls.identifier(made.func)
    return last in {"any_ipv4", "any_ipv6"} or (
        last in {"ipv4", "ipv6"} and bool(made.args) and ctx.value(made.args[0]) in _EVERYWHERE
    )


def _is_web(call: ast.Call, position: int, ctx: Context) -> bool:
    """Whether a rule is for the ports of the web, which are meant for everybody, or for one that is not known."""
    port = ctx.argument(call, position, "connection" if position else "port_range")
    made = None if port is None else ctx.origin(port)
    if isinstance(made, ast.Attribute):
        return made.attr in _WEB_PORTS
    if not isinstance(made, ast.Call):
        return True
    if calls.identifier(made.func) in {"all_traffic", "all_tcp", "all_udp"}:
        return False
    number = ctx.value(made.args[0]) if made.args else None
    return not isinstance(number, int) or number in _WEB


def _statement(call: ast.Call, ctx: Context) -> str:
    """A policy that allows everything, or something to everybody without a condition."""
    if calls.qualified(ctx, calls.given(ctx, call, None, "effect")).endswith(".DENY") or calls.has_unpacking(
        call
    ):
        return ""
    if calls.given(ctx, call, None, "conditions") is not None:
        return ""
    if calls.value(ctx, call, None, "actions") == ["*"] and calls.value(ctx, call, None, "resources") == [
        "*"
    ]:
        return "the policy allows everything on everything"
    principals = calls.given(ctx, call, None, "principals")
    listed = ctx.origin(principals) if principals is not None else None
    for each in listed.elts if isinstance(listed, ast.List) else ():
        made = ctx.origin(each)
        if isinstance(made, ast.Call):
            last = calls.identifier(made.func)
            named = last == "ArnPrincipal" and bool(made.args) and ctx.value(made.args[0]) == "*"
            if last in {"AnyPrincipal", "StarPrincipal"} or named:
                return "the policy is for everybody: its principal is `*`"
    return ""
