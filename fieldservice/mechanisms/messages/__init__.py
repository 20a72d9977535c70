"""Messages: text in the reader's language, queued in the transaction, delivered by a channel adapter.

`texts` are the bilingual templates, `models` the rows, `services` what can be done, `channels` the
adapters, `delivery` the job that sends. A message is sent at least once; its key goes along, so that
a receiver can tell a repeat.
"""

from fieldservice.mechanisms.messages.delivery import Delivered, deliver_queued
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.messages.services import last_about, messages_about, queue, send_again, withdraw
from fieldservice.mechanisms.messages.texts import Text, register_templates, render, templates

__all__ = [
    "Delivered",
    "Message",
    "Text",
    "deliver_queued",
    "last_about",
    "messages_about",
    "queue",
    "register_templates",
    "render",
    "send_again",
    "templates",
    "withdraw",
]
