"""Finds cloud storage that is told not to encrypt what it keeps, or to answer without TLS."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, Severity, rule
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SWITCHES: Final = ("encrypted", "storage_encrypted", "at_rest_encryption_enabled", "transit_encryption_enabled",
                    "Encrypted", "StorageEncrypted", "AtRestEncryptionEnabled", "TransitEncryptionEnabled", "enforce_ssl")  # fmt: skip
_NONE: Final = frozenset(
    {"BucketEncryption.UNENCRYPTED", "QueueEncryption.UNENCRYPTED", "StreamEncryption.UNENCRYPTED"}
)


@rule(
    ast.Call,
    code="SEC068",
    principles=("private-data-stays-private", "hardened-defaults"),
    severity=Severity.LOW,
    cwe=(311, 312, 319),
    calls=(
        "*.Bucket", "*.Volume", "*.CfnVolume", "*.DatabaseInstance", "*.DatabaseCluster", "*.CfnDBInstance", "*.CfnDBCluster",
        "*.FileSystem", "*.CfnFileSystem", "*.Queue", "*.Stream", "*.CfnReplicationGroup", "*.create_volume",
        "*.create_db_instance", "*.create_db_cluster", "*.create_file_system", "*.create_replication_group",
    ),
    mentions=("boto3", "aws_cdk"),
    references=(
        "https://docs.aws.amazon.com/prescriptive-guidance/latest/encryption-best-practices/welcome.html",
        "https://cwe.mitre.org/data/definitions/311.html",
    ),
)  # fmt: skip
def unencrypted_cloud_storage(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Let cloud storage encrypt what it keeps.

    Snapshots and backups are copied, shared and forgotten; encrypted ones are of no use without the key, and whoever may use the key is recorded.
    Encryption costs one argument when the storage is made, and a migration later. Only storage that is told not to encrypt is reported.

    ```python bad
    import boto3

    def create():
        boto3.client("ec2").create_volume(AvailabilityZone="eu-west-1a", Size=10, Encrypted=False)
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ what is kept here is not encrypted: `Encrypted` is off
    ```
    ```python fixed
    import boto3

    def create():
        boto3.client("ec2").create_volume(AvailabilityZone="eu-west-1a", Size=10, Encrypted=True)
    ```
    ```python good
    import boto3

    def create():
        boto3.client("ec2").create_volume(AvailabilityZone="eu-west-1a", Size=10, Encrypted=True)
    ```
    """
    if ctx.is_test:
        return
    for name in _SWITCHES:
        if calls.value(ctx, call, None, name) is False:
            fix = None
            if calls.keyword(call, name) is not None:
                fix = Fix("Encrypt it", (ctx.set_keyword(call, name, "True"),), Grade.UNSAFE)
            what = (
                "requests without TLS are answered"
                if name == "enforce_ssl"
                else "what is kept here is not encrypted"
            )
            yield ctx.finding(call, f"{what}: `{name}` is off", fix=fix)
            return
    chosen = calls.qualified(ctx, calls.given(ctx, call, None, "encryption"))
    if any(chosen.endswith(f".{none}") for none in _NONE):
        yield ctx.finding(call, "what is kept here is not encrypted: `encryption` is `UNENCRYPTED`")
