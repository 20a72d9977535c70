"""The first run: from an empty database to an installation that people can work with; and HTTPS for tablets."""
