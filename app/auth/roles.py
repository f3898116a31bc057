"""What a role brings to those who have it, from whatever way they come: the users file says.

What several sources say comes together: what one allows is allowed, what one denies is denied;
each list of networks has to have the address; of limits the user's own count, else the most
generous of the roles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from app.core.limits import UserLimits, most_generous
from app.core.path_rules import Layer, PathRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ipaddress import IPv4Network, IPv6Network

    from app.auth.rule_texts import RuleTexts
    from app.auth.users_file import User
    from app.core.identity import Principal

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Role:
    """What stands in the users file for one role; None where nothing does."""

    rules: RuleTexts | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] | None = None
    limits: UserLimits | None = None


Roles = dict[str, Role]


class RoleBook:
    """Applies the roles that `roles` tells, remembering what it made of each principal."""

    def __init__(self, roles: Callable[[], Roles]) -> None:
        self._roles = roles
        self._of: Roles = {}
        self._known: dict[int, tuple[User, User]] = {}

    def applied(self, user: User) -> User:
        """Return the user with all that their roles bring; costs little for who is known."""
        roles = self._roles()
        if not roles:
            return user
        if roles is not self._of:
            self._known, self._of = {}, roles
        known = self._known
        found = known.get(id(user))
        if found is None or found[0] is not user:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[id(user)] = (
                user, replace(user, principal=with_roles(user.principal, roles)))
        return found[1]


def with_roles(principal: Principal, roles: Mapping[str, Role]) -> Principal:
    """Return the principal with what `roles` say of theirs."""
    own = [roles[name] for name in sorted(principal.roles) if name in roles]
    if not own:
        return principal
    layers = [*principal.rules.layers, *(
        role.rules.layer(principal.name, principal.hadoop_user) for role in own if role.rules)]
    limits = [role.limits for role in own if role.limits]
    return replace(
        principal,
        rules=PathRules((reduce(Layer.merged, layers),)) if layers else PathRules(),
        networks=(*principal.networks, *(role.networks for role in own if role.networks)),
        limits=(principal.limits or UserLimits()).over(most_generous(limits)) if limits
        else principal.limits)
