"""Formats that people type: telephone, e-mail, postcode, number plate, credit code (DOMAIN §7, N-16, N-17).

A check forgives how something is written (spaces, dashes, +86, full-width digits) and gives back the one form that is
stored. What it cannot use it explains: FormatError carries a sentence that says what to correct.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l

LONGEST = 254  # characters of anything checked here; an e-mail address may be that long
# Digits are written [0-9]: \d would also take the digits of other scripts.
MOBILE = re.compile(r"1[3-9][0-9]{9}")
LANDLINE = re.compile(r"(010|02[0-9]|0[3-9][0-9]{2})([0-9]{7,8})")
LANDLINE_WRITTEN = re.compile(r"0[0-9]{2,3}-[0-9]{7,8}(-[0-9]{1,6})?")
HOTLINE = re.compile(r"[48]00[0-9]{7}")
FOREIGN = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
EXTENSION = re.compile(r"^(.*[0-9])\s*(?:转|分机|ext\.?|x|#|-)\s*([0-9]{1,6})$", re.IGNORECASE)
PLATE = re.compile(
    r"[京津沪渝冀晋辽吉黑苏浙皖闽赣鲁豫鄂湘粤琼川贵云陕甘青蒙桂藏宁新][A-HJ-NP-Z][A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
)
CREDIT_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_LENGTH = 18


class FormatError(ValueError):
    """Something typed cannot be used; `message` (lazy) says what to correct."""

    def __init__(self, message: Any) -> None:
        super().__init__(message)
        self.message = message


def check_phone(text: str) -> str:
    """A telephone number as stored: 13912340608, 0510-85880000-12, 4008001234 or +4915112345678. Raises FormatError."""
    plain = trimmed(text)
    if not plain:
        raise FormatError(_l("Enter a phone number."))
    if LANDLINE_WRITTEN.fullmatch(plain):
        return plain
    number, extension = _split_extension(plain)
    digits = re.sub(r"[\s\-–—.·()/]", "", number)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        raise FormatError(_l("A phone number has digits only. Leave out letters and other signs."))
    digits = re.sub(r"^(?:\+86|0086|86(?=1[3-9][0-9]{9}$))", "", digits)
    digits = re.sub(r"^00(?=[1-9][0-9]{6})", "+", digits)
    if digits.startswith("+"):
        return _foreign(digits)
    landline = LANDLINE.fullmatch(digits) or LANDLINE.fullmatch(
        "0" + digits if number.startswith(("+86", "0086")) else ""
    )
    if landline:
        return "-".join(filter(None, (*landline.groups(), extension)))
    digits += extension  # a dash inside a mobile number is no extension
    if MOBILE.fullmatch(digits) or HOTLINE.fullmatch(digits):
        return digits
    raise FormatError(_what_is_wrong(digits))


def _split_extension(plain: str) -> tuple[str, str]:
    match = EXTENSION.match(plain)
    if match and len(re.sub(r"\D", "", match.group(1))) >= 10:
        return match.group(1), match.group(2)
    return plain, ""


def _foreign(number: str) -> str:
    if not FOREIGN.fullmatch(number):
        raise FormatError(_l("A foreign number has a country code and 7 to 15 digits, such as +49 151 12345678."))
    return number


def _what_is_wrong(digits: str) -> Any:
    if digits.startswith("0"):
        return _l("A landline has an area code and 7 or 8 digits, such as 0510-85880000.")
    if digits.startswith(("400", "800")):
        return _l("A hotline has 10 digits, such as 400-800-1234.")
    missing = 11 - len(digits)
    if not digits.startswith("1"):
        if len(digits) in (7, 8):
            return _l("Add the area code, such as 0510-85880000.")
        return _l("A mobile number starts with 1 and has 11 digits; a landline starts with its area code.")
    if missing == 1:
        return _l("One digit is missing: a mobile number has 11.")
    if missing > 1:
        return _l("%(count)s digits are missing: a mobile number has 11.", count=missing)
    if missing == -1:
        return _l("One digit too many: a mobile number has 11.")
    if missing < 0:
        return _l("%(count)s digits too many: a mobile number has 11.", count=-missing)
    return _l("No mobile number starts with %(start)s. Check the first digits.", start=digits[:2])


def is_mobile(number: str) -> bool:
    """Whether a normalised number can take an SMS: a Chinese mobile, or one from abroad."""
    return bool(MOBILE.fullmatch(number) or FOREIGN.fullmatch(number))


def phone_text(number: str | None) -> str:
    """A stored number as people read it: 139 1234 0608, 0510-8588 0000, 400-800-1234."""
    text = number or ""
    if MOBILE.fullmatch(text):
        return f"{text[:3]} {text[3:7]} {text[7:]}"
    if HOTLINE.fullmatch(text):
        return f"{text[:3]}-{text[3:6]}-{text[6:]}"
    return re.sub(r"^(0[0-9]{2,3}-[0-9]{3,4})([0-9]{4})(?=-|$)", r"\1 \2", text)


def check_email(text: str) -> str:
    """An e-mail address in its usual form. Raises FormatError. Whether it exists is not asked."""
    plain = trimmed(text)
    if not plain:
        raise FormatError(_l("Enter an e-mail address."))
    try:
        # Addresses of demos end in .test, which the library refuses otherwise.
        checked = validate_email(plain, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise FormatError(_l("This is not an e-mail address. It looks like name@company.com.")) from error
    return str(checked.normalized)


def check_postcode(text: str) -> str:
    """Six digits. Raises FormatError."""
    plain = re.sub(r"\s", "", trimmed(text))
    if not re.fullmatch(r"[0-9]{6}", plain):
        raise FormatError(_l("A postcode has 6 digits."))
    return plain


def check_plate(text: str) -> str:
    """A Chinese number plate, ordinary (苏B12345) or new energy (苏BD12345). Raises FormatError."""
    plain = re.sub(r"[\s·.\-]", "", trimmed(text)).upper()
    if not PLATE.fullmatch(plain):
        raise FormatError(_l("A plate has a province sign, a letter and 5 or 6 signs, such as 苏B12345."))
    return plain


def clean_credit_code(text: str) -> str:
    """A unified social credit code as stored: capitals, no blanks."""
    return re.sub(r"[\s\-]", "", trimmed(text)).upper()


def credit_code_warning(text: str) -> Any | None:
    """What looks wrong with a credit code, else None. Warn, never block: codes that fail the check circulate (N-16)."""
    code = clean_credit_code(text)
    if len(code) != CREDIT_LENGTH or any(sign not in CREDIT_SIGNS for sign in code):
        return _l("A credit code has 18 digits and capitals, without I, O, S, V and Z. Please check it.")
    total = sum(CREDIT_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:-1]))
    if CREDIT_SIGNS[-total % 31] != code[-1]:
        return _l("The check digit of this credit code does not fit. Please compare it with the licence.")
    return None


def trimmed(text: object) -> str:
    """Trimmed and bounded; full-width signs made plain, invisible ones (zero-width blanks of chat apps) left out."""
    plain = unicodedata.normalize("NFKC", str(text or "")[: LONGEST + 1])
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] != "C").strip()


def decimal_text(quantity: Decimal) -> str:
    """2.500 as 2.5, 100 as 100: the same on both databases, which give back different zeros."""
    return f"{quantity.normalize():f}"
