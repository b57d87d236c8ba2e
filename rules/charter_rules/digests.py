"""The names of the digests that `hashlib` has. It does not say which of them are safe for what."""

from __future__ import annotations

from typing import Final

DIGESTS: Final = (
    "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s",
)  # fmt: skip
CALLS: Final = tuple(f"hashlib.{name}" for name in DIGESTS)
"""The functions that begin a digest, by their qualified names."""
