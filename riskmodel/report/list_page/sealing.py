"""A page behind a password, to be opened in the browser alone.

In:  a password, the text of a page.
Out: what the page's own script needs to open it: salt, iterations, nonce, sealed text.

PBKDF2 with SHA-256 makes the key, AES-256-GCM seals; both are in every current browser (WebCrypto).
A seal is only as good as its password. It protects the page, not the other files of a list.
"""

from __future__ import annotations

import base64
import gzip
import os
import unicodedata
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from riskmodel.errors import RequestError

__all__ = ["ITERATIONS", "SHORTEST", "PageKey", "make_key", "seal"]

ITERATIONS = 600_000
"""Rounds of PBKDF2 with SHA-256 (OWASP, password storage cheat sheet, 2023)."""

SHORTEST = 12
"""Characters that a password needs; chosen."""

SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32


@dataclass(frozen=True, slots=True)
class PageKey:
    """A key made from a password.

    Attributes
    ----------
    salt : bytes
        Random; written into the page.
    secret : bytes
        The key; never written.
    """

    salt: bytes
    secret: bytes = field(repr=False)


def make_key(password: str) -> PageKey:
    """Make a key from a password, for all pages of one list.

    Parameters
    ----------
    password : str
        At least :data:`SHORTEST` characters; two ways of writing one letter are the same.

    Returns
    -------
    PageKey
        With a new random salt.

    Raises
    ------
    RequestError
        If the password is too short.
    """
    if len(password) < SHORTEST:
        raise RequestError(
            f"The password has {len(password)} characters; it needs at least {SHORTEST}. Three or four "
            "words that do not belong together are a good one."
        )
    salt = os.urandom(SALT_BYTES)
    rounds = PBKDF2HMAC(algorithm=SHA256(), length=KEY_BYTES, salt=salt, iterations=ITERATIONS)
    return PageKey(salt, rounds.derive(unicodedata.normalize("NFKC", password).encode("utf-8")))


def seal(text: str, key: PageKey) -> dict[str, str | int]:
    """Pack and seal a text.

    Parameters
    ----------
    text : str
        Part of a page.
    key : PageKey
        From :func:`make_key`; each text gets a nonce of its own.

    Returns
    -------
    dict
        ``salt``, ``nonce`` and ``sealed`` in base 64, ``iterations``; JSON-ready.
    """
    nonce = os.urandom(NONCE_BYTES)
    packed = gzip.compress(text.encode("utf-8"), mtime=0)
    parts = {
        "salt": key.salt,
        "nonce": nonce,
        "sealed": AESGCM(key.secret).encrypt(nonce, packed, None),
    }
    return {name: base64.b64encode(part).decode() for name, part in parts.items()} | {
        "iterations": ITERATIONS
    }
