"""What is open and what is closed, and users who differ only in what rules say of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.gateway import default_users

if TYPE_CHECKING:
    import requests

    from tests.gateway import Gateway

OWNER = "ruth"
HOME = f"/user/{OWNER}"
"""A home of its own: what is in it may be in snapshots, which no other test expects of it."""
CLOSED, OPEN = f"{HOME}/closed", f"{HOME}/open"
SECRET = "what nobody of them may read"
INSIDE = "treasure"
"""A name that no answer may have which is not about it."""

_RUTH = {"hadoop_user": OWNER, "bucket_root": HOME}


def users(superuser: str = "hdfs") -> dict[str, dict[str, Any]]:
    """Return the users; `superuser` is the backend's."""
    return {
        **default_users(superuser),
        "free": _RUTH,
        "ruled": {**_RUTH, "rules": {"allow": [OPEN], "deny": ["**/locked"]}},
        "denied": {**_RUTH, "rules": {"deny": [CLOSED, "**/locked"]}},
        "nested": {**_RUTH, "rules": {"deny": [f"{OPEN}/**/drawer/letter"]}},
        "partly": {**_RUTH, "rules": {"allow": [f"{OPEN}/inner"]}},
        "reading": {**_RUTH, "rules": {"allow": [OPEN], "allow_read": [f"{HOME}/library"]}},
        "dropping": {**_RUTH, "rules": {"allow_write": [f"{HOME}/box"]}},
        "ruled-admin": {"hadoop_user": superuser, "roles": ["admin"], "rules": {"deny": [CLOSED]}},
    }


USERS = users()
RULED = ("ruled", "denied")


class Place:
    """The gateway at `url`; what is closed has a fingerprint."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def furnish(self) -> None:
        """Make everything, as a user without rules."""
        self.gateway.make_home(OWNER)
        for path in (f"{CLOSED}/file", f"{CLOSED}/{INSIDE}", f"{CLOSED}/deep/{INSIDE}"):
            self.put(path, SECRET)
        for path in (f"{OPEN}/file", f"{OPEN}/mixed/{INSIDE}/locked", f"{OPEN}/mixed/plain",
                     f"{OPEN}/simple/plain", f"{HOME}/library/book"):
            self.put(path, SECRET if path.endswith("locked") else "open")
        self.by("free", "PUT", "/f/directory", path=f"{HOME}/box").raise_for_status()
        self.by("admin", "PUT", "/f/snapshot", path=HOME, allowed="true").raise_for_status()
        self.by("free", "POST", "/f/snapshot", path=HOME, name="old").raise_for_status()

    def clear(self) -> None:
        """Remove what was made where others test, too."""
        self.by("free", "DELETE", "/f/snapshot", path=HOME, name="old").raise_for_status()
        self.by("admin", "PUT", "/f/snapshot", path=HOME, allowed="false").raise_for_status()
        for name in ("closed", "open", "library", "box"):
            self.by("free", "DELETE", "/f/file", path=f"{HOME}/{name}", recursive="true"
                    ).raise_for_status()

    def put(self, path: str, text: str, user: str = "free") -> requests.Response:
        """Upload text."""
        answer = self.request(
            user, "PUT", "/f/file/content", params={"path": path, "overwrite": "true"}, data=text,
            headers={"Content-Type": "application/octet-stream"})
        if user == "free":
            answer.raise_for_status()
        return answer

    def by(self, user: str, method: str, url: str, **params: str) -> requests.Response:
        """Ask the file API."""
        return self.request(user, method, url, params=params)

    def request(self, user: str, method: str, url: str, **options: Any) -> requests.Response:
        """Send any request."""
        return self.gateway.request(method, url, user=user, **options)

    def names(self, user: str, path: str) -> list[str]:
        """Return the names that a user sees in a directory."""
        answer = self.by(user, "GET", "/f/listing", path=path)
        assert answer.status_code == 200, answer.text
        return [entry["pathSuffix"] for entry in answer.json()["result"]["statuses"]]

    def fingerprint(self) -> str:
        """Return what changes with anything at or below what is closed."""
        mark = hashlib.sha256(self.by("free", "GET", "/f/archive", path=CLOSED).content)
        for path in (CLOSED, f"{CLOSED}/file"):
            for url in ("/f/file/status", "/f/file/xattrs", "/f/file/acl"):
                mark.update(self.by("free", "GET", url, path=path).content)
        mark.update(self.by("free", "GET", "/f/snapshot", path=HOME).content)
        return mark.hexdigest()
