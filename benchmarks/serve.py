"""`python -m benchmarks.serve PORT`: the server as `make run` starts it, but that no caller is held to a rate.

Callers are counted all the same, since that is part of what an answer costs. Nothing is imported up here: the
computing processes import this file again when they start.
"""

import sys


def main() -> None:
    """Serve until stopped."""
    import uvicorn

    from config import load_settings
    from fieldservice import create_app
    from fieldservice.foundation.company import follow
    from fieldservice.foundation.server import make_asgi

    app = create_app(load_settings())
    app.config["API_RATE"] = 10**9
    follow(app)
    uvicorn.run(make_asgi(app), port=int(sys.argv[1]), lifespan="on", log_level="warning", timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main()
