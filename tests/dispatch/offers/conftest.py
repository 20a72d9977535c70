"""Plans are computed in the test's own process here too."""

from tests.dispatch.plans.conftest import here, scene

__all__ = ["here", "scene"]
