"""Who and what a story is about, as rows: everything the tellers need to look up."""

from dataclasses import dataclass

from fieldservice.accounts.models import User
from fieldservice.assets.models import Asset
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.demo.accounts import People
from fieldservice.demo.still import Placed
from fieldservice.demo.stock import Store
from fieldservice.demo.stories import Story
from fieldservice.demo.world import World
from fieldservice.parts.models import Part, StockLocation
from fieldservice.stations.models import Station, Technician


@dataclass
class Cast:
    """The company that stands, and its people."""

    world: World
    placed: Placed
    store: Store
    people: People

    def station(self, story: Story) -> Station:
        return self.placed.stations[story.station]

    def customer(self, story: Story) -> Customer:
        return self.placed.customers[story.customer.code]

    def asset(self, story: Story) -> Asset:
        return self.placed.machines[story.machine.key]

    def site(self, story: Story) -> Site:
        return self.placed.sites[story.machine.site.key]

    def contact(self, story: Story) -> Contact:
        return self.placed.contacts[story.contact.key]

    def technician(self, key: str) -> Technician:
        return self.placed.technicians[key]

    def part(self, number: str) -> Part:
        return self.store.parts[number]

    def van(self, key: str) -> StockLocation:
        return self.store.vans[key]

    def home_warehouse(self, key: str) -> StockLocation:
        """Where a technician fills the van."""
        return self.store.warehouses[self._home(key)]

    def storekeeper(self, key: str) -> str:
        """Who fills a technician's van, as events name people."""
        return f"user:{self.people.by_role['storekeeper', self._home(key)].id}"

    def _home(self, key: str) -> str:
        return next(one.station for one in self.world.technicians if one.key == key)

    def user(self, by: str, story: Story) -> User | None:
        """Who acts in a step; None for the customer and the system."""
        if by in ("customer", "system"):
            return None
        if by == "agent":
            return self.people.agent
        if by == "dispatcher":
            return self.people.by_role["dispatcher", story.station]
        if by == "sales":
            return self.people.sales
        if by == "manager":
            return self.people.by_role["station_manager", story.station]
        return self.people.technicians[by]

    def actor(self, by: str, story: Story) -> str:
        """The code of whoever acts, as events carry it."""
        user = self.user(by, story)
        return by if user is None else f"user:{user.id}"
