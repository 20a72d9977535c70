"""Every table, so that migrations and their guard see the whole schema. Wiring; imported by the app factory alone."""

from fieldservice.accounts import models as accounts
from fieldservice.assets import models as assets
from fieldservice.customers import models as customers
from fieldservice.dispatch.areas import models as dispatch_areas
from fieldservice.dispatch.cover import models as dispatch_cover
from fieldservice.dispatch.plans import models as dispatch_plans
from fieldservice.feedback import models as feedback
from fieldservice.foundation import api, company, deferred, limits, numbers, turns
from fieldservice.intake import models as intake
from fieldservice.mechanisms import calendars, events, policies, tasks, templates
from fieldservice.mechanisms.clocks import models as clocks
from fieldservice.mechanisms.files import models as files
from fieldservice.mechanisms.messages import models as messages
from fieldservice.mechanisms.messages import robots
from fieldservice.mechanisms.records import models as records
from fieldservice.operations import models as operations
from fieldservice.parts import models as parts
from fieldservice.parts.availability import models as reservations
from fieldservice.parts.catalogue import models as parts_catalogue
from fieldservice.parts.consignment import models as consignment
from fieldservice.parts.counts import models as stock_counts
from fieldservice.parts.receipts import models as goods_receipts
from fieldservice.parts.returns import models as old_parts
from fieldservice.parts.stocking import models as stock_levels
from fieldservice.parts.supply import models as supply_orders
from fieldservice.parts.transfers import models as transfers
from fieldservice.sales import models as sales
from fieldservice.stations import lendings
from fieldservice.stations import models as stations
from fieldservice.workorders import models as workorders
from fieldservice.workorders import wishes
from fieldservice.workorders.onsite import models as onsite
from fieldservice.workorders.rescue import models as rescues
from fieldservice.workorders.tablet import models as tablets

MODULES = (
    accounts, api, assets, calendars, clocks, company, consignment, customers, deferred, dispatch_areas, dispatch_cover,
    dispatch_plans, events, feedback, files, goods_receipts, intake, lendings, limits, messages, numbers, old_parts,
    onsite, operations, parts, parts_catalogue, policies, records, rescues, reservations, robots, sales, stations,
    stock_counts, stock_levels, supply_orders, tablets, tasks, templates, transfers, turns, wishes, workorders,
)  # fmt: skip
