"""Two stations that lend, on both databases; plans are computed in the test's own process."""

import pytest
from flask import Flask

from tests.dispatch.lending.company import Company, make_company
from tests.dispatch.plans.conftest import here

__all__ = ["here"]


@pytest.fixture
def company(app: Flask) -> Company:
    return make_company()
