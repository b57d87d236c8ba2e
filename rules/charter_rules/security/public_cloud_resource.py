"""Finds cloud storage and networks that are opened to everybody."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import (
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC063",
    principles=("hardened-defaults",),
    severity=Severity.MEDIUM,
    cwe=(732, 284),
    calls=(
        "*.create_bucket",
        "*.put_bucket_acl",
        "*.put_object",
        "*.put_object_acl",
        "*.upload_file",
        "*.upload_fileobj",
        "*.authorize_security_group_ingress",
        "*.authorize_ingress",
        "*.create_db_instance",
        "*.modify_db_instance",
        "*.make_public",
        "*.create_container",
    ),
    mentions=("boto3", "aioboto3", "google.cloud", "azure.storage"),
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    ),
)
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
    if ctx.is_test:
        return
    acl = calls.value(ctx, call, None, "ACL")
    extra = calls.given(ctx, call, None, "ExtraArgs")
    if extra is not None:
        entry = calls.entry(ctx.origin(extra), "ACL")
        acl = ctx.value(entry) if entry is not None else acl
    if acl in {"public-read", "public-read-write", "authenticated-read"}:
        who = "change" if acl == "public-read-write" else "read"
        yield ctx.finding(call, f"everybody may {who} it: its access is `{acl}`")
    elif calls.value(ctx, call, None, "PubliclyAccessible") is True:
        yield ctx.finding(call, "the database is reachable from the Internet: `PubliclyAccessible` is on")
    elif calls.value(ctx, call, None, "CidrIp") in {"0.0.0.0/0", "::/0"} and calls.value(
        ctx, call, None, "FromPort"
    ) not in {80, 443}:
        yield ctx.finding(call, "the port is open to every address of the Internet")
    elif calls.identifier(call.func) == "create_container" and calls.value(
        ctx, call, None, "public_access"
    ) in {"container", "blob"}:
        yield ctx.finding(call, "everybody may read what the container holds")
