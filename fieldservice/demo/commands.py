"""Commands of the demo company: `demo load`, `demo clear`."""

import json

import click
from flask.cli import AppGroup

from fieldservice.demo import clear as emptying
from fieldservice.demo.load import load
from fieldservice.demo.sizes import SIZES
from fieldservice.foundation.commands import show_errors

demo = AppGroup("demo", help="The demo company.")


@demo.command("load")
@click.option("--size", default="small", show_default=True, help=", ".join(SIZES))
@click.option("--seed", type=int, default=360, show_default=True, help="Same seed and FIELDSERVICE_NOW, same data.")
@click.option("--json", "as_json", is_flag=True)
@show_errors
def load_demo(size: str, seed: int, as_json: bool) -> None:
    """Load the demo company into an empty database."""
    told = load(size, seed=seed, tell=(lambda _line: None) if as_json else click.echo)
    if as_json:
        click.echo(json.dumps(told))


@demo.command("clear")
@click.option("--json", "as_json", is_flag=True)
@show_errors
def clear_demo(as_json: bool) -> None:
    """Empty the database, if it holds a demo; any other is left alone."""
    gone = emptying.clear()
    click.echo(json.dumps({"rows": gone}) if as_json else f"The demo is gone ({gone} rows).")
