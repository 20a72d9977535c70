"""A company with one machine."""

from tests.test_story import company as company
