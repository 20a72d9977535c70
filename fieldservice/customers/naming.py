"""Names of companies as they are compared: what differs only in spelling or legal form is the same name."""

import re
import unicodedata
from collections.abc import Mapping

LEGAL = re.compile(
    r"(股份有限公司|有限责任公司|集团有限公司|有限公司|股份公司|集团公司|集团|公司|工厂|总厂|分厂|厂"
    r"|\b(co|company|corp|corporation|inc|ltd|limited|llc|gmbh|group|plc|ag|sa)\b)"
)
MOST = 120


def core(names: Mapping[str, str] | str) -> str:
    """The part of a name that tells companies apart, of its Chinese form where there is one.

    Width, case, blanks, signs, brackets and legal forms are left out: 无锡盛源特钢（集团）有限公司 → 无锡盛源特钢.
    """
    text = names if isinstance(names, str) else (names.get("zh") or names.get("en") or "")
    plain = unicodedata.normalize("NFKC", text).casefold()
    shorter = LEGAL.sub(" ", plain)
    kept = re.sub(r"[\W_]+", "", shorter) or re.sub(r"[\W_]+", "", plain)
    return kept[:MOST]
