"""A company with one machine, and a customer with the private link of a request."""

from tests.test_story import company as company
