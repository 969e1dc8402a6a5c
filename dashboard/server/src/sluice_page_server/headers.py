"""The response headers that restrict what the page may load, and for how long browsers keep its files."""

from __future__ import annotations

from sluice_page_server.config import PageConfig

# Firestore, and Firebase's sign-in and its renewal of tokens.
FIREBASE_APIS = (
    "https://firestore.googleapis.com",
    "https://identitytoolkit.googleapis.com",
    "https://securetoken.googleapis.com",
)
SIGN_IN_SCRIPTS = "https://apis.google.com"  # opens the sign-in window

# The build puts a hash of the contents into the name of each file below assets/, so such a file never changes.
ASSETS = "assets/"
KEEP_FOREVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"


def security_headers(config: PageConfig) -> dict[str, str]:
    """Return the headers of every response."""
    return {
        "Content-Security-Policy": content_security_policy(config),
        "Cross-Origin-Opener-Policy": "same-origin-allow-popups",  # sign-in is a window of its own
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def content_security_policy(config: PageConfig) -> str:
    """Return a policy under which the page loads only its own files, and connects only to its Firestore.

    The page has no inline script and no inline style sheet.
    """
    connections = ["'self'"]
    connections += [f"http://{config.emulator_host}"] if config.emulator_host else FIREBASE_APIS
    scripts = ["'self'"] + ([SIGN_IN_SCRIPTS] if config.auth_domain else [])
    frames = [f"https://{config.auth_domain}"] if config.auth_domain else ["'none'"]
    directives = {
        "default-src": ["'none'"],
        "script-src": scripts,
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "manifest-src": ["'self'"],
        "connect-src": connections,
        "frame-src": frames,
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def cache_control(path: str) -> str:
    """Return how long a browser keeps the file at a path relative to the page's folder."""
    return KEEP_FOREVER if path.startswith(ASSETS) else ASK_EACH_TIME
