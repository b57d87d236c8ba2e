"""Finds Azure storage clients that encrypt with the broken first version."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from charter.api import (
    Fix,
    Grade,
    Severity,
    rule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Assign,
    code="SEC067",
    principles=("sound-cryptography",),
    severity=Severity.MEDIUM,
    cwe=(327,),
    mentions=("key_encryption_key", "require_encryption"),
    references=("https://learn.microsoft.com/azure/storage/blobs/client-side-encryption",),
)
def old_client_side_encryption(assignment: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Encrypt with version 2.0 on the client.

    The first version of Azure's client-side encryption uses CBC without a check of integrity: who can change the stored blobs can read them byte by
    byte (CVE-2022-30187). Version 2.0 uses AES-GCM and has to be asked for.

    ```python bad
    from azure.storage.blob import BlobServiceClient

    def upload(text, key, data):
        client = BlobServiceClient.from_connection_string(text)
        client.require_encryption = True
        client.key_encryption_key = key
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ what is encrypted with version 1 can be read by whoever can change it
        client.get_blob_client("a", "b").upload_blob(data)
    ```
    ```python fixed
    from azure.storage.blob import BlobServiceClient

    def upload(text, key, data):
        client = BlobServiceClient.from_connection_string(text)
        client.require_encryption = True
        client.encryption_version = "2.0"
        client.key_encryption_key = key
        client.get_blob_client("a", "b").upload_blob(data)
    ```
    ```python good
    from azure.storage.blob import BlobServiceClient

    def upload(text, key, data):
        client = BlobServiceClient.from_connection_string(text)
        client.require_encryption = True
        client.encryption_version = "2.0"
        client.key_encryption_key = key
        client.get_blob_client("a", "b").upload_blob(data)
    ```
    """
    target = assignment.targets[0]
    if (
        not isinstance(target, ast.Attribute)
        or target.attr != "key_encryption_key"
        or "azure.storage" not in ctx.text
        or ctx.value(assignment.value) is None
    ):
        ctx.not_an_opportunity()
        return
    around = ctx.function(assignment) or ctx.tree
    text = ctx.text if isinstance(around, ast.Module) else ctx.source(around)
    if not ctx.is_test and not re.search(r"encryption_version\s*=\s*[\"']2\.0", text):
        fix = Fix(
            "Encrypt with version 2.0",
            (ctx.insert_before(assignment, f'{ctx.source(target.value)}.encryption_version = "2.0"'),),
            Grade.UNSAFE,
        )
        yield ctx.finding(
            assignment, "what is encrypted with version 1 can be read by whoever can change it", fix=fix
        )
