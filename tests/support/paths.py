"""Where the build and the source are; ctest says so by environment, a plain pytest run guesses."""

import os
import pathlib

SOURCE = pathlib.Path(os.environ.get("SALLYPORT_SOURCE") or
                      pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("SALLYPORT_BUILD") or SOURCE / "build")
BIN = BUILD / "bin"
TOOLS = BUILD / "tests"


def sanitized():
    """The sanitizers bring memory, terabytes of addresses, and system calls of their own."""
    return "SALLYPORT_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
