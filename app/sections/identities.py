"""What can be set of ways to prove who one is beyond the users file: LDAP, JWT, certificates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sections.declaring import setting
from app.sections.identity_kinds import GroupRoles, Lines, Matching, Pairs, SecretText, Template
from app.setting_types import Flag, Seconds, Text, Words

if TYPE_CHECKING:
    from app.sections.identity_kinds import Secret

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
              "EdDSA")


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """What becomes of somebody whom a way has proved."""

    hadoop_user: str = setting("{user}", Template(), (
        "Whom HDFS sees: `{user}` is the gateway's user, other placeholders are what the way tells"
        " of them (LDAP: attributes, JWT: claims, certificates: `{CN}`, `{OU}` …)."))
    refused_hadoop_users: tuple[str, ...] = setting(
        ("hdfs", "root", "yarn", "mapred", "hive", "hbase", "kms", "httpfs"), Lines(), (
            "Hadoop users that nobody of this way becomes, whatever they are called there: those"
            " of the cluster's own services, above all its superuser."))
    root: str = setting("/", Template(absolute=True), (
        "The directory that is `/` for the user, with the same placeholders: `/data/{user}`."))
    bucket_root: str = setting("/", Template(absolute=True), (
        "The directory whose directories are the user's buckets, as the user sees it."))
    roles: tuple[str, ...] = setting((), GroupRoles(), (
        "Roles of the members of groups: `gateway-admins=admin`. A group of LDAP is its DN or its"
        " first value (`cn`)."))
    groups: tuple[str, ...] = setting((), Lines(), (
        "Only members of one of these groups come in; empty: everybody."))
    read_only_groups: tuple[str, ...] = setting((), Lines(), (
        "Members of one of these groups read only. `*` is everybody."))


@dataclass(frozen=True, slots=True)
class LdapSettings(MappingSettings):
    """Users and passwords of an LDAP directory (`ldap` in `auth.ways`)."""

    urls: tuple[str, ...] = setting((), Words(
        "a list of `ldaps://host:636` or `ldap://host:389`",
        r"ldaps?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?"), (
            "The servers, asked in turn until one answers."))
    ca_file: str = setting("", Text(), (
        "PEM file of the authorities that sign the servers' certificates; empty: those of the"
        " system. Names in certificates are always checked."))
    start_tls: bool = setting(True, Flag(), (
        "Make `ldap://` secure by StartTLS. Off, passwords are readable on the way: that is taken"
        " for servers on loopback alone, unless `allow_plain` says otherwise."))
    allow_plain: bool = setting(False, Flag(), (
        "Take `ldap://` without TLS to servers that are not on loopback, too."))
    timeout: float = setting(5.0, Seconds(0.1), "Seconds that a server has for each answer.")
    bind_dn: str = setting("", Text(), (
        "The service account that looks users up. Empty: users are looked up as themselves when"
        " they log in (`user_dn`), and S3 keys, tokens and jobs of LDAP users do not work."))
    bind_password: Secret = setting("", SecretText(), (
        "Its password, best by GATEWAY_LDAP_BIND_PASSWORD, or in a file: `bind_password_file`."))
    bind_password_file: str = setting("", Text(), (
        "File with its password, a line end after it or not. It is read at each login there, so"
        " that it may change."))
    user_dn: str = setting("", Template(empty=True), (
        "The DN of a user, for directories where it follows from the name:"
        " `uid={user},ou=people,dc=example,dc=net`. Empty: they are searched for."))
    search_base: str = setting("", Text(), (
        "Where users are searched for, with all that is below: `ou=people,dc=example,dc=net`."))
    user_filter: str = setting("(uid={user})", Template(), (
        "What is searched for; `{user}` is the name, escaped. More conditions keep others out:"
        " `(&(sAMAccountName={user})(objectClass=person))`."))
    name_attribute: str = setting("uid", Matching(
        "an attribute's name", r"[A-Za-z][A-Za-z0-9-]*"), (
        "The attribute that holds the user's name as the gateway takes it: LDAP does not tell"
        " `Alice` from `alice`."))
    group_attribute: str = setting("memberOf", Matching(
        "an attribute's name, or empty", r"([A-Za-z][A-Za-z0-9-]*)?"), (
        "The attribute of a user that names their groups; empty: none does."))
    group_base: str = setting("", Text(), (
        "Where groups are searched for, with all that is below; empty: not at all."))
    group_filter: str = setting("(member={dn})", Template(), (
        "What groups are searched for; `{dn}` is the user's DN, `{user}` the name, both escaped."))
    refresh_seconds: float = setting(30.0, Seconds(0), (
        "Seconds after which a user is looked up again, so that who is disabled, removed or moved"
        " to other groups is so here. While no server answers, what was found counts for"
        " `auth.cache_seconds`."))


@dataclass(frozen=True, slots=True)
class JwtSettings(MappingSettings):
    """JSON Web Tokens of an OpenID Connect provider, as Bearer (`jwt` in `auth.ways`)."""

    issuer: str = setting("", Text(), "What `iss` must be. Required.")
    audience: tuple[str, ...] = setting((), Lines(), (
        "What `aud` must be, or hold: one of these. Required: a token for somebody else is none"
        " for the gateway."))
    jwks_url: str = setting("", Text(), (
        "Where the provider's public keys are (`jwks_uri` of its discovery document), by `https`;"
        " `http` only on loopback."))
    keys_file: str = setting("", Text(), (
        "File with the public keys instead: PEM (keys or certificates) or a JWK set. It is read"
        " again when it changes."))
    ca_file: str = setting("", Text(), (
        "PEM file of the authorities that sign the certificate of `jwks_url`; empty: those of the"
        " system."))
    algorithms: tuple[str, ...] = setting(("RS256", "ES256"), Words(
        "a list of " + ", ".join(f"`{name}`" for name in ALGORITHMS), "|".join(ALGORITHMS)), (
            "The signatures that are taken."))
    leeway: float = setting(30.0, Seconds(0), (
        "Seconds by which the provider's clock may be ahead or behind."))
    refresh_seconds: float = setting(300.0, Seconds(1), (
        "Seconds after which the keys of `jwks_url` are fetched again, beside the requests."))
    timeout: float = setting(5.0, Seconds(0.1), "Seconds that `jwks_url` has for its answer.")
    user_claim: str = setting("preferred_username", Text(), (
        "The claim that is the user's name; dots go down (`profile.login`). Take one that users"
        " cannot choose for themselves."))
    groups_claim: str = setting("groups", Text(), (
        "The claim that lists the user's groups (`realm_access.roles`); empty: none does."))
    known_seconds: float = setting(86400.0, Seconds(0), (
        "Seconds after their last token for which a user's S3 keys, tokens and jobs work; the"
        " provider is not asked for them."))


@dataclass(frozen=True, slots=True)
class CertificateSettings(MappingSettings):
    """TLS client certificates (`certificate` in `auth.ways`)."""

    users: tuple[str, ...] = setting((), Pairs(
        "a list of `subject or name=user`", re.compile(r"[^=:\s][^=:]{0,254}")), (
            "Certificates of users of the users file: the whole subject (RFC 4514, as"
            " `openssl x509 -subject -nameopt RFC2253` writes it) or one alternative name (`DNS:…`,"
            " `email:…`, `URI:…`), and the user: `CN=backup,O=Example=backup`."))
    patterns: tuple[str, ...] = setting((), Lines(), (
        "Regular expressions (RE2) for whole subjects and alternative names; the first group is the"
        " user: `CN=([a-z]+),OU=people,O=Example`. The organizational units of the subject are the"
        " groups."))
    known_seconds: float = setting(86400.0, Seconds(0), (
        "Seconds after a user of `patterns` was last seen for which their S3 keys, tokens and jobs"
        " work."))
