"""docs/limits.md: what it shows is taken, what there is stands in it."""

from __future__ import annotations

import re
from dataclasses import fields

import yaml

from app import settings
from app.core.limits import NAMES, UserLimits, check_limits
from app.sections import LimitSettings
from tests.gateway import REPOSITORY

PAGE = (REPOSITORY / "docs" / "limits.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_settings_shown_are_settings() -> None:
    shown = yaml.safe_load(BLOCKS[0])
    known = {field.name for field in fields(LimitSettings)}
    assert shown["limits"].keys() <= known
    environment = {f"GATEWAY_LIMITS_{name.upper()}": str(value)
                   for name, value in shown["limits"].items()}
    read = settings.read(environment=environment).limits
    assert {name: getattr(read, name) for name in shown["limits"]} == shown["limits"]


def test_every_limit_stands_on_the_page() -> None:
    for field in fields(LimitSettings):
        assert re.search(rf"`(limits\.)?{field.name}`", PAGE), field.name
    for name in NAMES:
        assert f"`{name}`" in PAGE


def test_the_users_file_shown_has_limits_that_are_taken() -> None:
    shown = yaml.safe_load(BLOCKS[1])
    user = check_limits(shown["users"]["nightly-export"]["limits"])
    role = check_limits(shown["roles"]["batch"]["limits"])
    assert user.over(role) == UserLimits(1000, 2000, 4, None, 50_000_000, None)
