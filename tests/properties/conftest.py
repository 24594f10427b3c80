"""How the properties are tried: a fixed number of examples, and no time limit for one, since machines are shared."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "ingest-tui", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile(
    "repeatable", settings.get_profile("ingest-tui"), derandomize=True
)  # in CI: no run is luckier
settings.register_profile(
    "unshrunk",  # a first look at many failures at once
    settings.get_profile("ingest-tui"),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ingest-tui"))
