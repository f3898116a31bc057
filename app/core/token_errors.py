"""Errors about access tokens and delegation tokens.

NotFound
└── NoSuchToken                      nobody has, or this user has not, a token of this id
AccessDenied
├── TooManyTokens                    the user has as many as one may have
└── TooManyDelegationTokens          the same of delegation tokens
"""

from __future__ import annotations

from app.core.errors import AccessDenied, NotFound


class NoSuchToken(NotFound):
    """There is no token of this id, or it is another user's."""

    text = "no such access token"

    def __init__(self, token_id: str) -> None:
        super().__init__("/")
        self.token_id = token_id


class TooManyTokens(AccessDenied):
    """The user has `most` tokens already."""

    text = "too many access tokens"

    def __init__(self, most: int) -> None:
        super().__init__("/", f"a user has at most {most}; revoke one")
        self.most = most


class TooManyDelegationTokens(AccessDenied):
    """The user has `most` delegation tokens already."""

    text = "too many delegation tokens"

    def __init__(self, most: int) -> None:
        super().__init__("/", f"a user has at most {most}; cancel one, or wait until one ends")
        self.most = most
