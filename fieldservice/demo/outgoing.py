"""What the demo's people were told has reached them long ago; nothing leaves this machine."""

from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy.event import listen, remove

from fieldservice.foundation.db import session
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.subjects import OnBehalf

DELIVERY = timedelta(seconds=3)  # from queueing a message to its being sent


@dataclass
class Outgoing:
    """Messages that are queued inside the block; at its end, or when asked, they count as sent."""

    _queued: list[Message] = field(default_factory=list)

    def __enter__(self) -> Self:
        listen(Message, "after_insert", self._notice)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                session.flush()
                self.count_as_sent()
        finally:
            remove(Message, "after_insert", self._notice)

    def _notice(self, _mapper: Any, _connection: Any, message: Message) -> None:
        self._queued.append(message)

    def count_as_sent(self) -> None:
        """All that was queued so far."""
        while self._queued:
            message = self._queued.pop(0)
            at = message.queued_at + DELIVERY
            message.attempts, message.sent_at, message.next_try_at = 1, at, None
            move(
                OnBehalf(message), "sent", at=at, by="system", message=message.id, template=message.template,
                channel=message.channel,
            )  # fmt: skip
