"""The demo size `nation`: one region told as any demo, and copied over the country by the database."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from fieldservice.accounts.models import RoleGrant
from fieldservice.demo import copying, twins
from fieldservice.demo.album import link_twin
from fieldservice.demo.areas import areas
from fieldservice.demo.rows import insert_rows
from fieldservice.demo.sizes import Size
from fieldservice.demo.world import World
from fieldservice.foundation.db import Base, session
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders.models import WorkOrder

Tell = Callable[[str], None]


def spread(size: Size, world: World, tell: Tell) -> None:
    """Copy the region that has just been told until there are `size.regions` of it and `size.past` closed orders."""
    session.flush()
    plan = _plan(size)
    tell("The region is told. Copying it over the country …")
    _place(plan, world)
    with copying.bare(copying.FLOWING):
        copying.copy_present(plan, tell)
        copying.copy_earlier(plan, tell)
        tell("Putting indexes and constraints back …")
    _link_files(plan)
    copying.close_numbers()
    tell("Chaining the events …")
    with copying.bare(["event_log"]):
        copying.chain_anew()
    copying.take_stock()
    session.expire_all()


def _plan(size: Size) -> copying.Plan:
    closed = session.scalar(select(func.count(WorkOrder.id)).where(WorkOrder.state == "closed")) or 1
    weeks = size.days // 7 + 1  # more than the region's past lasts, so that nobody is in two places
    posted = select(RoleGrant.user_id).where(RoleGrant.station_id.is_not(None))
    users = Base.metadata.tables["user_account"]
    below = copying.room_below(size)
    return copying.Plan(
        regions=size.regions,
        earlier=round(size.past / (size.regions * closed)) - 1,
        apart=timedelta(weeks=weeks),
        spans=copying.spans(below),
        below=below,
        country=list(session.scalars(select(users.c.id).where(users.c.id.not_in(posted)))),
    )


def _place(plan: copying.Plan, world: World) -> None:
    """Stations, people and customers of the other regions, and what they have."""
    region = {name: [dict(row) for row in _rows(name)] for name in twins.TABLES}
    region["user_account"] = [row for row in region["user_account"] if row["id"] not in plan.country]
    region["role_grant"] = [row for row in region["role_grant"] if row["station_id"] is not None]
    held = [code for station in world.stations for code in station.territory]
    per, free = len(world.stations), areas((plan.regions - 1) * len(world.stations), held)
    phones = twins.telephones({row["phone"] for name in ("contact", "technician") for row in region[name]})
    made = twins.Twins(region, plan.spans, phones, {row["code"] for row in region["station"]})
    for number in range(1, plan.regions):
        copied = made.of(number, free[(number - 1) * per : number * per])
        for name in twins.TABLES:
            insert_rows(Base.metadata.tables[name], copied[name])
    copying.copy_standing(plan)


def _rows(name: str) -> list[twins.Row]:
    table = Base.metadata.tables[name]
    return [dict(row._mapping) for row in session.execute(select(table).order_by(table.c.id))]


def _link_files(plan: copying.Plan) -> None:
    """The copied rows of files need files too: other names of the same pictures."""
    keys = {file_id: (key, kind) for file_id, key, kind in session.execute(
        select(StoredFile.id, StoredFile.key, StoredFile.content_type).where(StoredFile.state == "ready")
    )}  # fmt: skip
    span = plan.spans["stored_file"]
    for file_id, (key, kind) in keys.items():
        if file_id > span:
            link_twin(keys[file_id % span][0], key, kind)
