"""The sign and the color of each level. A sign always stands beside a word."""

from __future__ import annotations

GLYPHS = {
    "needsAction": "✗",
    "degraded": "▲",
    "waiting": "◌",
    "warning": "▲",
    "paused": "‖",
    "running": "●",
    "finished": "■",
}
COLORS = {
    "needsAction": "red",
    "degraded": "red",
    "waiting": "blue",
    "warning": "yellow",
    "paused": "yellow",
    "running": "green",
    "finished": "dim",
}
