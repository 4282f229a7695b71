"""What is derived from a client key: how it is found, and what its signatures are made with.

The gate keeps neither the key nor anything that it could be called with: who reads the store can at most sign for keys
that take signatures, which every scheme of shared secrets allows (RFC 9421, 3.3.3).
"""

import hashlib
import hmac

_SIGNING = b"tidegate request signature 1"


def digest_of(key: str) -> bytes:
    """SHA-256 of a key, 32 bytes: what it is looked up by."""
    return hashlib.sha256(key.encode()).digest()


def signing_key_of(key: str) -> bytes:
    """HMAC-SHA256 of a fixed text under the key, 32 bytes: the secret of its signatures."""
    return hmac.digest(key.encode(), _SIGNING, "sha256")
