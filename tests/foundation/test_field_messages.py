"""What marshmallow refuses is said in the reader's language."""

import marshmallow as ma
import pytest
from flask import Flask
from flask_babel import force_locale

from fieldservice.foundation.field_messages import in_words

V = ma.validate
CASES = {
    "required": (ma.fields.String(required=True), None),
    "null": (ma.fields.String(), None),
    "string": (ma.fields.String(), 1),
    "integer": (ma.fields.Integer(strict=True), "x"),
    "number": (ma.fields.Float(), "x"),
    "nan": (ma.fields.Float(), "nan"),
    "boolean": (ma.fields.Boolean(), "x"),
    "list": (ma.fields.List(ma.fields.Integer()), 1),
    "mapping": (ma.fields.Dict(), 1),
    "nested": (ma.fields.Nested(ma.Schema()), 1),
    "date": (ma.fields.Date(), "x"),
    "datetime": (ma.fields.AwareDateTime(), "x"),
    "naive": (ma.fields.AwareDateTime(), "2026-11-25T10:30:00"),
    "long": (ma.fields.String(validate=V.Length(max=1)), "xx"),
    "short": (ma.fields.String(validate=V.Length(min=3)), "xx"),
    "length": (ma.fields.String(validate=V.Length(3, 9)), "xx"),
    "range": (ma.fields.Float(validate=V.Range(-90, 90)), 91),
    "big": (ma.fields.Integer(validate=V.Range(max=2**62)), 2**63),
    "low": (ma.fields.Integer(validate=V.Range(min=1)), 0),
    "choice": (ma.fields.String(validate=V.OneOf(["a", "b."])), "c"),
    "pattern": (ma.fields.String(validate=V.Regexp("^a$")), "c"),
}


@pytest.mark.parametrize("case", CASES)
def test_every_refusal_is_said_in_chinese_and_english(sqlite_app: Flask, case: str) -> None:
    field, value = CASES[case]
    schema = ma.Schema.from_dict({"x": field})()
    with pytest.raises(ma.ValidationError) as refused:
        schema.load({} if case == "required" else {"x": value})
    found = refused.value.messages["x"]
    text = found[0] if isinstance(found, list) else found["_schema"][0]
    with force_locale("zh"):
        chinese = str(in_words(text))
    with force_locale("en"):
        english = str(in_words(text))
    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese), chinese
    assert english != chinese
    assert english.isascii()


def test_an_unknown_field_is_said_and_other_texts_stay(sqlite_app: Flask) -> None:
    assert str(in_words("Unknown field.")) == "没有这个字段。"
    assert in_words("Something new.") == "Something new."
    assert in_words(7) == 7
