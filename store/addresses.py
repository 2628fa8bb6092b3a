"""Keyed hashes of addresses: a suppression outlives the person's data without holding the address."""

from __future__ import annotations

import hashlib
import hmac


def address_hash(address: str, key: bytes) -> str:
    """HMAC-SHA256, 64 hexadecimal digits, of the trimmed, lower-cased address."""
    return hmac.new(key, address.strip().lower().encode(), hashlib.sha256).hexdigest()
