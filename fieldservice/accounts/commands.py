"""Commands about people: `users create`, `tokens create`."""

import json
import secrets

import click
from flask.cli import AppGroup

from fieldservice.accounts.services import create_token, create_user
from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.db import write

users = AppGroup("users", help="People who sign in.")
tokens = AppGroup("tokens", help="Bearer tokens of the JSON API.")


@users.command("create")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option(
    "--role", "roles", multiple=True, required=True, help="A role code such as dispatcher; repeat for several."
)
@click.option(
    "--station", "station_id", type=int, default=None, help="Id of the station the roles cover; without it, all."
)
@click.option("--language", type=click.Choice(["zh", "en"]), default=None)
@click.option("--json", "as_json", is_flag=True)
@show_errors
def create(
    email: str, name: str, roles: tuple[str, ...], station_id: int | None, language: str | None, as_json: bool
) -> None:
    """Open an account; the password is made here and printed once."""
    password = secrets.token_urlsafe(12)
    grants = [(role, station_id) for role in roles]
    user_id = write(lambda: create_user(email=email, name=name, password=password, grants=grants, language=language).id)
    if as_json:
        click.echo(json.dumps({"id": user_id, "email": email, "password": password}))
    else:
        click.echo(f"{email}  {password}")


@tokens.command("create")
@click.option("--user", "email", required=True, metavar="EMAIL")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--json", "as_json", is_flag=True)
@show_errors
def make_token(email: str, name: str, as_json: bool) -> None:
    """Make a bearer token; it is shown this once."""
    text = write(lambda: create_token(email=email, name=name))
    click.echo(json.dumps({"user": email, "name": name, "token": text}) if as_json else text)
