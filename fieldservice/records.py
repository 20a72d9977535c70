"""Wiring: every kind of record that people enter, import and export, in the order in which a new station needs them."""

from fieldservice.accounts.records import People
from fieldservice.assets.records import Assets, Brands
from fieldservice.customers.records import Contacts, Customers, Sites
from fieldservice.dispatch.cover.records import CoveredAbsences, CoveredShifts
from fieldservice.intake.records import ServiceRequests
from fieldservice.mechanisms import records
from fieldservice.parts.catalogue.records import KitLines, Kits, Substitutes, SupplierOffers, Suppliers
from fieldservice.parts.consignment.records import ConsignmentLines, ConsignmentReadings
from fieldservice.parts.records import Parts, Places
from fieldservice.stations.records import Stations
from fieldservice.stations.team_records import Technicians, speak_of
from fieldservice.stations.territory_records import Territories
from fieldservice.workorders import skills
from fieldservice.workorders.definitions import FaultPatterns, WorkTypes
from fieldservice.workorders.records import NamedEngineers

KINDS = (
    Stations(),
    Territories(),
    People(),
    Technicians(),
    CoveredShifts(),
    CoveredAbsences(),
    Customers(),
    Contacts(),
    Sites(),
    NamedEngineers(),
    Brands(),
    Assets(),
    Parts(),
    Places(),
    ConsignmentLines(),
    ConsignmentReadings(),
    Substitutes(),
    Kits(),
    KitLines(),
    Suppliers(),
    SupplierOffers(),
    WorkTypes(),
    FaultPatterns(),
    ServiceRequests(),
)


def install() -> None:
    """Make all kinds known; called by the app factory."""
    speak_of(skills=skills.skill_words, certificates=skills.certificate_words)
    records.register(*KINDS)
