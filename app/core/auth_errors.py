"""Errors of finding out who asks, beyond those that core.errors has.

UpstreamUnavailable
└── WayUnavailable                   who could tell cannot be asked at the moment
NotAuthenticated
└── InvalidToken                     a Bearer token that says nothing, or no longer
"""

from __future__ import annotations

from app.core.errors import NotAuthenticated, UpstreamUnavailable


class WayUnavailable(UpstreamUnavailable):
    """Whoever could tell who this is cannot be asked now: the credentials may well be right."""


class InvalidToken(NotAuthenticated):
    """A Bearer token that cannot be taken, for a reason that its bearer may know (RFC 6750)."""
