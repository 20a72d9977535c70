"""`make bench`: every benchmark beside its baseline in the same run.

Sizes: companies of 10,000 and 100,000 work orders with the same 10 stations, 200 technicians and 1,000 open
orders, so that only the past grows; what is past is told once and copied (`demo/copying.py`). The smaller one's
figures are the baseline of the larger one's, which shows how cost grows at ten times the size; the smaller one's own
baseline is an answer that asks no database.
"""

import argparse

from benchmarks import company, office, results
from benchmarks.clients import Call, Times, for_a_while, once_each
from benchmarks.first_visit import first_visits
from benchmarks.importing import imports
from benchmarks.parts import figures as parts
from benchmarks.planning import figures as planning
from benchmarks.results import Measure
from benchmarks.server import Server
from benchmarks.timeline import timeline
from fieldservice import create_app
from fieldservice.foundation.db import db

SIZES = (10_000, 100_000)
CLIENTS = (1, 8)
P95 = {  # milliseconds at the larger size: {name: (clients, most)}
    "list": (8, 50), "list with count": (8, 50), "day plan": (8, 75), "create": (8, 60), "suggestions": (1, 100),
}  # fmt: skip
RATE = {"list": 150, "day plan": 120}  # a second with eight clients
GROWTH, MEMORY_MB, START_S, VISIT_KB = 1.3, 300, 2.0, 300
Found = dict[tuple[str, int], Times]


def main() -> None:
    """Measure and tell."""
    wishes = _wishes()
    measures: list[Measure] = []
    smaller: Found = {}
    for orders in wishes.orders:
        print(f"\n{orders} orders", flush=True)
        found, aside = _measure(orders, wishes.seconds)
        measures += _figures(orders, found, smaller) + aside
        smaller = smaller or found
    measures += imports()
    measures += planning.figures()
    measures += parts.figures(wishes.data)
    results.write(measures)
    if not wishes.no_pages:
        measures += first_visits(VISIT_KB)
        measures += timeline()
    results.show(measures)
    results.write(measures)
    print(f"\nwritten to {results.LATEST}")


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=8.0, help="for which each question is asked")
    parser.add_argument("--data", default=parts.DATA, help="folder with the car parts (%(default)s)")
    parser.add_argument("--no-pages", action="store_true", help="leave the first visits out, which need a browser")
    return parser.parse_args()


def _measure(orders: int, seconds: float) -> tuple[Found, list[Measure]]:
    url = company.copy(orders)
    folder = company.FOLDER / f"copy_{orders}"
    app = create_app(company.settings(url, folder))
    with Server(url, folder) as server:
        server.settle()
        desk = office.Office(app, server.port)
        found = _questions(desk, server.port, seconds) | _deeds(desk, server.port)
        aside = [
            Measure(f"start to first answer, {orders} orders", server.started_in, "s", "lower", target=START_S),
            Measure(f"memory after load, {orders} orders", server.memory() / 2**20, "MB", "lower", target=MEMORY_MB),
        ]
    with app.app_context():
        db.engine.dispose()
    company.drop(orders)
    return found, aside


def _questions(desk: office.Office, port: int, seconds: float) -> Found:
    day, visits = desk.day_plan()
    print(f"  the day plan shows {visits} visits", flush=True)
    asked = {
        "floor": [Call("GET", "/healthz")],
        "list": desk.lists(count=False),
        "list with count": desk.lists(count=True),
        "search": desk.searches(),
        "day plan": day,
        "suggestions": desk.suggestions(),
    }
    found: Found = {}
    for name, calls in asked.items():
        for clients in CLIENTS:
            found[name, clients] = _told(name, clients, for_a_while(port, calls, clients, seconds))
    return found


def _deeds(desk: office.Office, port: int) -> Found:
    found: Found = {}
    for clients, count in zip(CLIENTS, (100, 300), strict=True):
        found["create", clients] = _told("create", clients, once_each(port, desk.reports(count), clients))
    assignments = desk.assignments(90)
    for clients, calls in zip(CLIENTS, (assignments[:30], assignments[30:]), strict=True):
        found["assign", clients] = _told("assign", clients, once_each(port, calls, clients))
    completions = desk.completions(60)
    for clients, calls in zip(CLIENTS, (completions[:20], completions[20:]), strict=True):
        found["complete", clients] = _told("complete", clients, once_each(port, calls, clients))
    done = desk.completed(int(call.body["device_id"].removeprefix("bench-")) for call in completions)
    print(f"  {done} of {len(completions)} visits were completed, the others not; all are in the figure", flush=True)
    if done < 0.8 * len(completions):
        raise RuntimeError("too few visits were completed for a figure")
    return found


def _told(name: str, clients: int, times: Times) -> Times:
    print(
        f"  {name:<16} {clients} clients  p50 {times.at(0.5):7.1f} ms  p95 {times.at(0.95):7.1f} ms  "
        f"{times.per_second:7.1f}/s  {len(times.waits)} answers, {times.refused} refused", flush=True,
    )  # fmt: skip
    return times


def _figures(orders: int, found: Found, smaller: Found) -> list[Measure]:
    rows = []
    for (name, clients), times in found.items():
        base, called = (smaller[name, clients], f"{min(SIZES)} orders") if smaller else (
            found["floor", clients], "answer without a database"
        )  # fmt: skip
        title = f"{name}, {orders} orders, {clients} client{'s' if clients > 1 else ''}"
        most = P95.get(name, (0, 0))
        target = most[1] if smaller and most[0] == clients else None
        rate = RATE.get(name) if smaller and clients == max(CLIENTS) else None
        for share in (0.5, 0.95):
            wanted = target if share == 0.95 else None
            rows.append(Measure(f"{title}, p{share * 100:.0f}", times.at(share), "ms", "lower", base.at(share), called,
                                wanted))  # fmt: skip
        rows.append(Measure(f"{title}, rate", times.per_second, "/s", "higher", base.per_second, called, rate))
        if smaller and name != "floor":
            growth = times.at(0.5) / base.at(0.5)
            rows.append(Measure(f"{title}, growth of p50", growth, "×", "lower", 1.0, called, GROWTH))
    return rows


if __name__ == "__main__":
    main()
