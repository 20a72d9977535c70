"""One at a time, in the order in which they came."""

from threading import Event, Thread

from fieldservice.foundation.turnstile import Turnstile


def test_who_waited_longest_goes_next() -> None:
    turnstile, order, inside = Turnstile(patience_s=30), list[int](), Event()
    first = turnstile.turn()
    first.__enter__()

    def go(number: int) -> None:
        with turnstile.turn():
            order.append(number)

    threads = []
    for number in range(5):
        threads.append(Thread(target=go, args=(number,)))
        threads[-1].start()
        while len(turnstile._waiting) <= number:  # the next comes after this one stands in the queue
            inside.wait(0.001)
    assert order == []
    first.__exit__(None, None, None)
    # whoever gives it back and comes again at once stands behind them
    go(99)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4, 99]


def test_an_error_inside_gives_the_turn_back() -> None:
    turnstile = Turnstile(patience_s=30)
    try:
        with turnstile.turn():
            raise KeyError("x")
    except KeyError:
        pass
    with turnstile.turn():
        assert turnstile._taken
    assert not turnstile._taken


def test_who_loses_patience_goes_on_and_takes_nobodys_turn() -> None:
    turnstile = Turnstile(patience_s=0.01)
    with turnstile.turn():
        with turnstile.turn():
            assert not turnstile._waiting
        assert turnstile._taken  # the first still has it
    assert not turnstile._taken
