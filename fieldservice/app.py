"""The app factory: the table of contents of the system."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from config import ROOT, Settings
from fieldservice import cli, jobs, models, records, subscriptions
from fieldservice.accounts import account_views, invite_views, signin
from fieldservice.accounts import views as accounts
from fieldservice.admin import (
    asset_views,
    customer_views,
    field_rule_views,
    import_views,
    map_views,
    people_views,
    robot_views,
    roster_views,
)
from fieldservice.admin import views as admin
from fieldservice.dispatch import api as dispatch_api
from fieldservice.dispatch import board_views
from fieldservice.dispatch import views as dispatch
from fieldservice.dispatch.areas import api as areas_api
from fieldservice.dispatch.areas import services as areas
from fieldservice.dispatch.cover import api as cover_api
from fieldservice.dispatch.cover import views as cover
from fieldservice.dispatch.day import api as day_api
from fieldservice.dispatch.lending import api as lending_api
from fieldservice.dispatch.lending import views as lending
from fieldservice.dispatch.offers import api as offers_api
from fieldservice.dispatch.plans import api as plans_api
from fieldservice.dispatch.plans import views as plans
from fieldservice.dispatch.plans import weights_views
from fieldservice.foundation import api, live, providers, web
from fieldservice.foundation.db import db, dumps, loads
from fieldservice.foundation.db import install as install_database_rules
from fieldservice.foundation.places import travel
from fieldservice.foundation.time import clock
from fieldservice.insight import api as insight_api
from fieldservice.insight import audit_views
from fieldservice.insight import views as insight
from fieldservice.intake import api as intake_api
from fieldservice.intake import views as intake
from fieldservice.mechanisms import relay
from fieldservice.operations import metrics as operations_metrics
from fieldservice.operations import probes
from fieldservice.operations import views as operations
from fieldservice.parts import api as parts_api
from fieldservice.parts import views as parts
from fieldservice.parts.availability import api as availability_api
from fieldservice.parts.consignment import api as consignment_api
from fieldservice.parts.consignment import refill_views
from fieldservice.parts.consignment import views as consignment
from fieldservice.parts.counts import views as counts
from fieldservice.parts.receipts import views as receipts
from fieldservice.parts.stocking import views as stocking
from fieldservice.parts.supply import views as supply_orders
from fieldservice.parts.transfers import api as transfers_api
from fieldservice.parts.transfers import views as transfers
from fieldservice.portal import stock_views as customer_stock
from fieldservice.portal import views as portal
from fieldservice.sales import api as sales_api
from fieldservice.sales import views as sales
from fieldservice.setup import gate
from fieldservice.setup import tablets as setup_tablets
from fieldservice.setup import views as setup_views
from fieldservice.store import api as store_api
from fieldservice.store import claim_views, old_part_views, source_views, unused_views
from fieldservice.store import views as store
from fieldservice.workorders import api as workorders_api
from fieldservice.workorders import caller_views, part_views
from fieldservice.workorders import views as workorders
from fieldservice.workorders.tablet import api as tablet_api
from fieldservice.workorders.tablet import office_views as tablet_office
from fieldservice.workorders.tablet import views as tablet_views

assert models.MODULES  # every table is known before migrations or queries need it
MORE_PAGES = (  # on the blueprints of views.py beside them; the ways with fixed words come before /admin/<kind>
    account_views, audit_views, board_views, invite_views, asset_views, customer_views, field_rule_views, import_views,
    map_views, people_views, robot_views, roster_views, weights_views, part_views, source_views,
    unused_views,
)  # fmt: skip

PAGES = (
    dispatch.blueprint,
    plans.blueprint,
    cover.blueprint,
    lending.blueprint,
    intake.blueprint,
    workorders.blueprint,
    caller_views.blueprint,
    tablet_views.blueprint,
    tablet_office.blueprint,
    sales.blueprint,
    store.blueprint,
    old_part_views.blueprint,
    claim_views.blueprint,
    receipts.blueprint,
    transfers.blueprint,
    counts.blueprint,
    supply_orders.blueprint,
    stocking.blueprint,
    consignment.blueprint,
    refill_views.blueprint,
    parts.blueprint,
    accounts.blueprint,
    insight.blueprint,
    admin.blueprint,
    portal.blueprint,
    customer_stock.blueprint,
    setup_views.blueprint,
    setup_tablets.blueprint,
    operations.blueprint,
    probes.blueprint,
)
API: tuple[api.ApiBlueprint, ...] = (
    intake_api.blueprint,
    workorders_api.blueprint,
    dispatch_api.blueprint,
    plans_api.blueprint,
    areas_api.blueprint,
    day_api.blueprint,
    offers_api.blueprint,
    cover_api.blueprint,
    lending_api.blueprint,
    tablet_api.blueprint,
    parts_api.blueprint,
    availability_api.blueprint,
    transfers_api.blueprint,
    consignment_api.blueprint,
    store_api.blueprint,
    sales_api.blueprint,
    insight_api.blueprint,
)


def create_app(settings: Settings) -> Flask:
    """Build the app: settings, database, people, edge, pages, API, wiring and commands."""
    app = Flask(
        "fieldservice",
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
        instance_path=str(settings.instance_path),
    )
    settings.instance_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    app.extensions["fieldservice.settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_pool(settings),
        MAX_CONTENT_LENGTH=110 * 1024 * 1024,  # ten photos of 10 MB and the form
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        WTF_CSRF_CHECK_DEFAULT=False,  # web._refuse_cross_site decides where the token is asked
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form left open over night still works
    )
    web.serve_built_files(app)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's guide says
            app.wsgi_app,
            x_for=settings.trusted_proxies,
            x_proto=settings.trusted_proxies,
            x_host=settings.trusted_proxies,
        )
    clock.zone = settings.timezone
    providers.choose(settings)
    travel.DEFAULT.slow_areas = areas.current
    if settings.started_clock_at is not None:
        clock.start_at(settings.started_clock_at)
    db.init_app(app)
    with app.app_context():
        install_database_rules(db.engine)
    operations_metrics.install(app)
    signin.install(app, settings)
    gate.install(app)
    web.install(app)
    described = api.install(app)
    for page in PAGES:
        app.register_blueprint(page)
    for part in API:
        described.register_blueprint(part)
    live.install(app, live.Source(relay.latest_seq, relay.since))
    records.install()
    subscriptions.install()
    jobs.list_schedules()
    cli.install(app)
    return app


def _pool(settings: Settings) -> dict[str, object]:
    """As many connections as server threads, and twelve for background work; a thread never waits for one."""
    options: dict[str, object] = {"pool_size": 16, "max_overflow": 12, "pool_timeout": 20}
    options |= {"json_serializer": dumps, "json_deserializer": loads}
    if settings.database_url.startswith("postgresql"):
        options |= {
            "pool_pre_ping": True,
            "pool_use_lifo": True,  # few warm connections, with their prepared statements
            "connect_args": {"options": "-c timezone=UTC"},  # times come as they are used, without a way through a zone
        }
    return options
