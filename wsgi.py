"""The server's way in: `app` for commands and WSGI, `asgi` for uvicorn, with live feed and background work."""

from config import load_settings
from fieldservice import create_app
from fieldservice.foundation.company import follow
from fieldservice.foundation.server import make_asgi

app = create_app(load_settings())
follow(app)
asgi = make_asgi(app)
