"""What people call a division: its full name, the short form, and names it gave up.

Short forms matter ("江苏无锡" is an address), and are where a careless reader goes wrong ("南京路" is not in
Nanjing): they are kept apart here and believed less by the reader.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from fieldservice.foundation.places.divisions import Division, former, table, within

# What ends a full name, longest first; the short form is what stands before it.
ENDINGS = (
    "特别行政区", "行政委员会", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州", "自治县", "自治旗",
    "林区", "特区", "新区", "矿区", "地区", "省", "市", "区", "县", "旗", "盟",
)  # fmt: skip
PEOPLES = re.compile(
    "(?:各族|蒙古族|蒙古|回族|藏族|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族|哈萨克|傣族|黎族|傈僳族|佤族|畲族|拉祜族|"
    "水族|东乡族|纳西族|景颇族|柯尔克孜族|柯尔克孜|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|仡佬族|锡伯族|锡伯|普米族|"
    "塔吉克族|塔吉克|怒族|鄂温克族|保安族|裕固族|独龙族)+$"
)  # fmt: skip
# Full names that are also everyday words ("东区3号楼"): believed no more than short ones.
EVERYDAY = frozenset({"城区", "东区", "西区", "郊区", "矿区", "新城区", "老城区", "站前区", "港口区", "海港区"})
PLAIN_ENDING = {"自治州": "州", "自治县": "县", "自治旗": "旗"}  # "延边州", "峨边县"


@dataclass(frozen=True, slots=True)
class Called:
    """A division by one of its names; `full` when that says what kind it is; `once`: codes it had under that name."""

    code: str
    full: bool
    once: tuple[str, ...] = ()

    def lies_in(self, code: str) -> bool:
        """Whether it lies in a division now, or did under this name (Gongzhuling moved from Siping to Changchun)."""
        digits = code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
        return within(self.code, code) or any(old.startswith(digits) for old in self.once)


def short_name(name: str) -> str:
    """昆山市 → 昆山, 延边朝鲜族自治州 → 延边; the name itself where nothing sayable would be left (赵县)."""
    ending = _ending(name)
    stem = name[: len(name) - len(ending)]
    bare = PEOPLES.sub("", stem) if ending.startswith("自治") or stem.endswith("族") else stem
    stem = bare if len(bare) >= 2 else stem
    return stem if len(stem) >= 2 else name


def _ending(name: str) -> str:
    return next((ending for ending in ENDINGS if name.endswith(ending) and len(name) - len(ending) >= 1), "")


def _forms(name: str) -> dict[str, bool]:
    """Every way to say a name, and whether it is a full one."""
    short, ending = short_name(name), _ending(name)
    forms = {name: name not in EVERYDAY}
    if short != name:
        forms[short] = False
        if ending in PLAIN_ENDING:
            forms[short + PLAIN_ENDING[ending]] = True
        if ending == "新区" and len(short) >= 2:
            forms[short + "区"] = True  # "浦东区"
    return forms


@cache
def index() -> dict[str, tuple[Called, ...]]:
    """Every spoken name → the divisions called so; present names first."""
    found: dict[str, dict[str, Called]] = defaultdict(dict)
    spoken = [(division.name, division.code, division.code) for division in table().values()]
    spoken += [(name, now, old) for old, name, now in former()]
    for name, code, old in spoken:
        for form, full in _forms(name).items():
            before = found[form].get(code, Called(code, full=False))
            once = before.once if old == code else (*before.once, old)
            found[form][code] = Called(code, full or before.full, once)
    return {form: tuple(called.values()) for form, called in found.items()}


@cache
def longest() -> int:
    """Length of the longest name."""
    return max(map(len, index()))


def is_municipality(division: Division) -> bool:
    """Beijing, Tianjin, Shanghai and Chongqing, whose districts people name without the city."""
    return division.parent is None and division.name.endswith("市")
