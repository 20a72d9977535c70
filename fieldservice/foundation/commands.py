"""What commands share: domain errors become one readable line and exit status 1."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from fieldservice.foundation.errors import DomainError, Invalid

P = ParamSpec("P")
R = TypeVar("R")


def show_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Say what is wrong and what to do, without a trace."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Invalid as error:
            lines = [f"{name}: {text}" for name, texts in error.errors.items() for text in texts]
            raise click.ClickException("\n".join([str(error.message), *lines])) from error
        except DomainError as error:
            raise click.ClickException(f"{error.message} ({error.code})") from error

    return run
