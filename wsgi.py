"""The server's way in: `app` for commands and WSGI."""

from config import load_settings
from fieldservice import create_app

app = create_app(load_settings())
