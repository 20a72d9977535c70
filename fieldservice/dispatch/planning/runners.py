"""Where pieces are solved: here, or in processes of their own. What comes back is the same."""

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Protocol, Self

from fieldservice.foundation.computing import begin


class Runner(Protocol):
    """Takes work and gives a future of its answer."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]": ...


class Here:
    """Solves at once, in this process."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


class Processes:
    """Solves in so many processes, which end with the block they were opened for."""

    def __init__(self, many: int) -> None:
        self._pool = ProcessPoolExecutor(many, mp_context=get_context("spawn"), initializer=begin)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        return self._pool.submit(function, *arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
