"""The page at `/_emulator/`: plain files, with a policy that runs nothing but them."""

from importlib.resources import files

from ossgate.emulator.responses import Response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def find_page_file(path: str) -> Response | None:
    """Answer one of the page's files; None when there is none of that name."""
    name = "index.html" if path == "" else path.removeprefix("page/") if path.startswith("page/") else ""
    folder = files("ossgate.emulator") / "page"
    # Compared with what is there, so that no path leaves the folder.
    if not name or name not in {entry.name for entry in folder.iterdir()}:
        return None
    headers = [
        ("Content-Type", _TYPES.get(name.rpartition(".")[2], "application/octet-stream")),
        ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-cache"),
    ]
    return Response(200, headers, (folder / name).read_bytes())
