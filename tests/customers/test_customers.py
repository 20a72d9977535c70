"""Finding customers by what a caller says, and keeping them."""

import pytest
from flask import Flask

from fieldservice.customers.models import Contact
from fieldservice.customers.queries import customer_by_id, find_by_name, find_by_phone
from fieldservice.customers.services import add_contact
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import history
from fieldservice.mechanisms.lifecycle import move
from tests import factories as make


def test_J_13_a_phone_finds_person_and_company(app: Flask) -> None:
    write(make.customer)
    (person, company), *more = find_by_phone("13912340608")
    assert (person.name, company.names["zh"], more) == ("何工", "盛源特钢", [])
    assert find_by_phone("13900000000") == []


def test_who_left_is_not_found_any_more(app: Flask) -> None:
    write(make.customer)
    write(lambda: move(session.query(Contact).one(), "left", at=now()))
    assert find_by_phone("13912340608") == []


def test_a_phone_that_two_companies_share_finds_both(sqlite_app: Flask) -> None:
    write(lambda: [make.customer(), make.customer("联创汽配", "Lianchuang Auto")])
    assert len(find_by_phone("13912340608")) == 2


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("盛源", 1), ("特钢", 1), ("shengyuan", 1), ("STEEL", 1), (" steel ", 1), ("zh", 0), ("names", 0), ("%", 0),
        ("_", 0), ("", 0), ("   ", 0), ("\\", 0), ("'; DROP TABLE customer; --", 0), ("🛠️", 0), ("a\x00b", 0),
        ("长" * 5000, 0),
    ],
)  # fmt: skip
def test_a_name_is_found_in_either_language(sqlite_app: Flask, words: str, count: int) -> None:
    write(make.customer)
    assert len(find_by_name(words)) == count


def test_names_are_found_on_both_databases(app: Flask) -> None:
    write(make.customer)
    assert len(find_by_name("盛源")) == len(find_by_name("SHENGYUAN")) == 1
    assert find_by_name("zh") == []  # the words of the data are no names


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30])
def test_a_senseless_id_is_nobody(sqlite_app: Flask, number: int) -> None:
    assert customer_by_id(number) is None


def test_what_is_done_is_on_the_timeline_without_personal_words(app: Flask) -> None:
    def build() -> Contact:
        return add_contact(make.customer(), name="王工", phone="13900001111", role="buyer", at=now())

    contact = write(build)
    (event,) = history(contact)
    assert (event.kind, event.facts) == ("contact.added", {"customer": contact.customer_id, "role": "buyer"})
