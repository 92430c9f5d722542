"""The web application's files, and what it must know of this server. Its sources are in `web/` of the repository."""
