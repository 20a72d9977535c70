"""What a technician enters in a checklist: most readings fit, some do not. Plain values."""

from collections.abc import Iterator
from decimal import Decimal
from math import ceil, log, log10
from typing import Any

from fieldservice.demo.dice import Dice
from fieldservice.mechanisms.forms import Field, Form

OUTSIDE = 0.05  # of the readings lie outside their tolerance
OPTIONAL = 0.7  # of what is not required is answered
STEPS = 20  # a reading can take at least so many values within its tolerance
MUCH = 500  # litres
TEXTS = {
    "oil_batch": ("B2605-17", "B2607-03", "B2609-21"),
    "area": ("2.4 m²", "0.8 m²", "6 m²"),
    "offer_note": ("设备已用八年，客户想了解换新方案", "同型号还有两台，客户问能不能一起保养"),
    "store": ("油库 2 号架", "Oil store, rack 2"),
}
WORDS = ("已按卡片恢复", "见柜门内卡片", "与上次相同")


def answers(form: Form, alarm: str, dice: Dice) -> Iterator[tuple[str, Any]]:
    """(field, value) in the order of the form, with the `alarm` shown. Photos are left out: they need pictures."""
    for field in form.fields:
        if field.type in ("photo", "signature") or not (field.required or dice.happens(OPTIONAL)):
            continue
        value = alarm if field.code == "alarm" else _value(field, dice)
        if value != "":
            yield field.code, value


def photo_fields(form: Form) -> list[str]:
    """Photos without which the form is not complete."""
    return [field.code for field in form.fields if field.type == "photo" and field.required]


def _value(field: Field, dice: Dice) -> Any:
    if field.type == "check":
        return True
    if field.type == "number":
        return _reading(field, dice)
    if field.type == "choice":
        return dice.choice(field.options).code
    return dice.choice(TEXTS.get(field.code, WORDS))


def _reading(field: Field, dice: Dice) -> str:
    """A number as it is typed, as exact as the bounds are."""
    bounds = [bound for bound in (field.low, field.nominal, field.high) if bound is not None]
    low, high = _range(field)
    width = high - low
    decimals = max([0, ceil(log10(STEPS / width)), *(-int(bound.as_tuple().exponent) for bound in bounds)])
    if field.unit == "L" and high > MUCH:  # the bound is a slip-stop, no tolerance
        return str(round(min(dice.lognormvariate(log(160), 0.5), high)))
    if dice.happens(OUTSIDE) and bounds:
        above = field.high is not None and (field.low is None or dice.happens(0.6))
        value = high + width * dice.uniform(0.04, 0.25) if above else low - width * dice.uniform(0.03, 0.1)
    else:
        middle = float(field.nominal) if field.nominal is not None else low + width * dice.uniform(0.3, 0.7)
        value = min(max(dice.gauss(middle, width / 9), low), high)
    exact = Decimal(str(max(value, 0.0) if low >= 0 else value)).quantize(Decimal(1).scaleb(-decimals))
    return f"{exact + 0:f}"  # no minus before a zero


def _range(field: Field) -> tuple[float, float]:
    """The tolerance; where a side is open, a likely one."""
    low = float(field.low) if field.low is not None else None
    high = float(field.high) if field.high is not None else None
    if low is None and high is None:
        middle = float(field.nominal) if field.nominal is not None else 20.0
        return middle * 0.7, middle * 1.3
    if low is None:
        assert high is not None
        return (0.0 if high > 0 else high * 2), high
    if high is None:
        return low, low * 1.8 if low > 0 else low + 10
    return low, high
