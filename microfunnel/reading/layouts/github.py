"""Public events of GitHub, as GH Archive and the Events API have them."""

from microfunnel.reading.layouts.declaration import Layout

LAYOUTS = (
    Layout(
        name="github",
        title="GitHub events",
        marks=("id", "type", "actor", "repo", "payload", "created_at"),
        values={"user": "actor.login", "time": "created_at", "event": "type", "repository": "repo.name"},
        duplicates=("id",),
    ),
)
