"""`setup`: the first run on the command line; `setup code`: a new one-time code for the browser."""

import sys
from collections.abc import Callable

import click
from flask.cli import AppGroup, with_appcontext
from flask_babel import force_locale
from flask_babel import gettext as _

from config import LANGUAGES
from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.places import divisions
from fieldservice.foundation.time import clock
from fieldservice.foundation.web import settings
from fieldservice.setup import services
from fieldservice.setup.first_run import make_code, state
from fieldservice.setup.safety import look, unsafe
from fieldservice.setup.trials import send_trial, try_folder


@click.group("setup", cls=AppGroup, invoke_without_command=True)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the questions; the installation's otherwise.")
@click.pass_context
@with_appcontext
def setup(context: click.Context, lang: str | None) -> None:
    """First run: administrator, company, language, mail and SMS, backups, first station."""
    if context.invoked_subcommand is None:
        with force_locale(lang or settings().default_language):
            show_errors(run)()


@setup.command("code")
@show_errors
def code() -> None:
    """Make a new one-time code for /setup; an older one is void."""
    _refuse_unsafe()
    click.echo(write(make_code))


def run() -> None:
    """Ask step by step; what was answered is kept, so a broken-off set-up goes on where it was."""
    _refuse_unsafe()
    found = state()
    if not found.needed:
        click.echo(_("This installation is set up already."))
        return
    while (step := state().step) != "finish":
        click.echo(f"\n{TITLES[step]()}")
        _until_right(ASKS[step])
        services.speak_as_stored()
    write(services.finish)
    click.echo(f"\n{_('The set-up is finished. Sign in at %(url)s', url=f'{settings().public_url}/login')}")


def _refuse_unsafe() -> None:
    problems = unsafe(look(settings()))
    if problems:
        for problem in problems:
            click.echo(f"✗ {problem.sentence}", err=True)
        sys.exit(1)


def _until_right(ask: Callable[[], None]) -> None:
    """Ask again while an entry cannot be used; with answers from a file that would never end, so not there."""
    while True:
        try:
            return ask()
        except Invalid as error:
            session.rollback()
            for texts in error.errors.values():
                click.echo(f"✗ {' '.join(map(str, texts))}", err=True)
            if not sys.stdin.isatty():
                raise


def _ask_account() -> None:
    name, email = click.prompt(_("Your name")), click.prompt(_("E-mail"))
    password = click.prompt(_("Password (at least 12 characters)"), hide_input=True, confirmation_prompt=True)
    made = write(
        lambda: services.open_first_account(
            name=name, email=email, password=password, code=None, language=settings().default_language
        )
    )
    if made is None:
        raise Conflict()


def _ask_company() -> None:
    names = {"zh": _optional(_("Company name, Chinese")), "en": _optional(_("Company name, English"))}
    short = {"zh": _optional(_("Short name, Chinese")), "en": _optional(_("Short name, English"))}
    hotline = _optional(_("Hotline"))
    write(lambda: services.name_company(names=names, short_names=short, hotline=hotline))


def _ask_language() -> None:
    spoken = click.prompt(_("Default language"), type=click.Choice(LANGUAGES), default=settings().default_language)
    zone = click.prompt(_("Time zone"), default=clock.zone.key)
    write(lambda: services.choose_language(language=spoken, timezone=zone))


def _ask_messages() -> None:
    for channel, question in (("email", _("Send a test e-mail to")), ("sms", _("Send a test SMS to"))):
        to = _optional(question)
        if to:
            _try(channel, to)
    write(lambda: services.pass_step("messages"))


def _try(channel: str, to: str) -> None:
    """Send one and say what came back."""
    outcome = send_trial(channel, to, settings())
    click.echo(f"{'✓' if outcome.ok else '✗'} {outcome.sentence} {outcome.answer}".rstrip())
    write(lambda: services.keep_result(channel, ok=outcome.ok, code=outcome.code))


def _ask_backup() -> None:
    folder = try_folder(settings().backup_folder, settings().instance_path)
    write(lambda: services.keep_result("backup", ok=folder.ok, code="ok" if folder.ok else "not_writable"))
    if not folder.writable:
        raise Conflict(
            _("Backups cannot be written to %(path)s. Set FIELDSERVICE_BACKUP_FOLDER to a folder that can be written.",
              path=folder.path), code="backup_folder",
        )  # fmt: skip
    click.echo(_("%(path)s can be written; %(gb)s GB are free.", path=folder.path, gb=folder.free_gb))
    if folder.same_disk:
        click.echo(_("It lies on the same disk as the data. A folder on another machine survives a broken disk."))
    write(lambda: services.pass_step("backup"))


def _ask_station() -> None:
    code_ = _optional(_("Code of the first station, such as WXXW (empty: later)"))
    if not code_:
        write(lambda: services.pass_step("station"))
        return
    names = {"zh": _optional(_("Station name, Chinese")), "en": _optional(_("Station name, English"))}
    wanted = click.prompt(_("District, city or division code"))
    found = [wanted] if divisions.by_code(wanted) else divisions.search(wanted, 8)
    for one in found[1:] and found:
        click.echo(f"  {one} {divisions.label(one)}")
    division = found[0] if len(found) == 1 else click.prompt(_("Division code"))
    write(lambda: services.found_station(code=code_, names=names, division_code=division, point=None))


def _optional(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False))


ASKS: dict[str, Callable[[], None]] = {
    "account": _ask_account, "company": _ask_company, "language": _ask_language, "messages": _ask_messages,
    "backup": _ask_backup, "station": _ask_station,
}  # fmt: skip
TITLES: dict[str, Callable[[], str]] = {
    "account": lambda: _("Administrator"), "company": lambda: _("Company"), "language": lambda: _("Language and time"),
    "messages": lambda: _("E-mail and SMS"), "backup": lambda: _("Backups"), "station": lambda: _("First station"),
}  # fmt: skip
