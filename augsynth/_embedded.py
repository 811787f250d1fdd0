"""Pictures and sounds inside a page, as data URLs."""

from __future__ import annotations

import base64
import io
from typing import Any


def embedded_picture(picture: Any) -> str:
    """A PIL image as a data URL of a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return embedded_bytes(buffer.getvalue(), "image/png")


def embedded_bytes(content: bytes, kind: str) -> str:
    """The content of a file of the MIME type ``kind`` as a data URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
