"""A company with one machine, and a customer with the private link of a request; plans are computed here."""

import pytest

from tests.dispatch.plans.conftest import here as here
from tests.test_story import company as company


@pytest.fixture(autouse=True)
def _computed_here(here: None) -> None:
    """No worker processes for free times."""
