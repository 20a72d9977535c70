"""What breaks, at whom, and what they say about it. Plain values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate

from fieldservice.demo.company import Texts, told
from fieldservice.demo.dice import Dice
from fieldservice.demo.world import ContactPlan, CustomerPlan, MachinePlan, World
from fieldservice.foundation.time import local
from fieldservice.workorders import catalogue
from fieldservice.workorders.catalogue import FaultPattern, WorkType

SEVERITIES = {"safety": 0.35, "line_stop": 0.7, "degraded": 1.0, "minor": 1.1}
TIERS = {"vip": 0.9, "key": 1.0, "standard": 1.1, "basic": 1.2}  # the largest look after their machines best
CHANNELS = {"portal": 38.0, "asset_qr": 24.0, "phone": 28.0, "email": 10.0}
PRONE = 0.12  # of the machines fail five times as often as others
ZH, EN = "zh", "en"

# Sentences that only make sense at some hours or in some months (read in Chinese, since both are told together).
FITS: dict[str, Callable[[datetime], bool]] = {
    "上午十点": lambda moment: 11 <= moment.hour < 20,
    "早班": lambda moment: 7 <= moment.hour < 20,
    "中午": lambda moment: 13 <= moment.hour < 20,
    "天热": lambda moment: 5 <= moment.month <= 9,
    "打雷": lambda moment: 4 <= moment.month <= 9,
    "今晚": lambda moment: moment.hour < 18,
    "明天上午": lambda moment: moment.hour >= 9,
}


@dataclass(frozen=True)
class Fault:
    """A machine with a fault, as the catalogue knows it."""

    customer: CustomerPlan
    machine: MachinePlan
    pattern: FaultPattern
    work_type: WorkType


@dataclass(frozen=True)
class Faults:
    """Everything that can break in a world, ready to be drawn from."""

    world: World

    @cached_property
    def types(self) -> dict[str, WorkType]:
        return {one.code: one for one in catalogue.work_types()}

    @cached_property
    def patterns(self) -> dict[str, list[FaultPattern]]:
        """Patterns by the kind of machine they are met on; those without a known mode need a person's words."""
        found: dict[str, list[FaultPattern]] = {}
        for pattern in catalogue.patterns():
            for kind in pattern.machines if pattern.mode != "UNK" else ():
                found.setdefault(kind, []).append(pattern)
        return found

    @cached_property
    def machines(self) -> dict[str, tuple[list[tuple[CustomerPlan, MachinePlan]], list[float]]]:
        """Machines with the sums of how often they fail, by station."""
        dice = self.world.dice("prone machines")
        found = {}
        for station, customers in self.world.clients.items():
            machines, weights = [], []
            for customer in customers:
                for machine in customer.machines:
                    often = 5.0 if dice.happens(PRONE) else 1.0
                    if machine.kind in self.patterns:
                        machines.append((customer, machine))
                        weights.append(often * TIERS[customer.tier])
            found[station] = (machines, list(accumulate(weights)))
        return found

    def draw(self, station: str, dice: Dice, severities: Iterable[str] = SEVERITIES) -> Fault:
        """A fault at a customer of a station, of one of these severities."""
        wanted = tuple(severities)
        while True:
            customer, machine = self._machine(station, dice)
            fitting = [one for one in self.patterns[machine.kind] if one.severity in wanted]
            if fitting:
                break
        weights = [SEVERITIES[one.severity] for one in fitting]
        pattern = dice.choices(fitting, weights)[0]
        return Fault(customer, machine, pattern, self.types[pattern.work_type])

    def _machine(self, station: str, dice: Dice) -> tuple[CustomerPlan, MachinePlan]:
        machines, weights = self.machines[station]
        return dice.choices(machines, cum_weights=weights)[0]


def contact_of(customer: CustomerPlan, dice: Dice) -> ContactPlan:
    """Who calls: rarely the buyer."""
    callers = [contact for contact in customer.contacts if contact.role == "requester"]
    return dice.choice(callers or list(customer.contacts))


def channel_of(customer: CustomerPlan, dice: Dice) -> str:
    return "phone" if customer.silent else dice.one_of(CHANNELS)


def words_of(fault: Fault, at: datetime, dice: Dice) -> str:
    """The customer's own words: where, what, and a sentence or two about it."""
    spoken, reports = fault.customer.language, told("reports")
    where, symptom = fault.machine.label[spoken], fault.pattern.symptom[spoken]
    said = [f"{where}：{symptom}。" if spoken == ZH else f"{where}: {_lower(symptom)}."]
    for kind, chance in (("since", 0.55), ("tried", 0.4), ("impact", 0.75), ("ask", 0.3)):
        if dice.happens(chance):
            sentences = reports[kind][fault.pattern.severity] if kind == "impact" else reports[kind]
            said.append(fitting(sentences, at, dice)[spoken])
    return "".join(said) if spoken == ZH else " ".join(said)


def fitting(sentences: list[Texts], at: datetime, dice: Dice) -> Texts:
    """A sentence that can be said at this hour and season."""
    moment = local(at)
    good = [one for one in sentences if all(fits(moment) for sign, fits in FITS.items() if sign in one[ZH])]
    return dice.choice(good or sentences)


def _lower(sentence: str) -> str:
    """A sentence that goes on after a colon; names and abbreviations keep their capitals."""
    return sentence if sentence[1:2].isupper() or sentence[1:2] in " -" else sentence[0].lower() + sentence[1:]
