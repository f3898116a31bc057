"""How properties are tested on a machine that may be slow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

PATIENT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
