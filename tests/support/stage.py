"""What a package would install, in a folder for a box."""

import os
import subprocess

from support.paths import BUILD

STAGE = "/opt/stage"  # where a box has it, by binds=binds(folder)


def binds(folder):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr"], check=True,
                   env={**os.environ, "DESTDIR": str(folder)}, stdout=subprocess.DEVNULL)
    return [(str(folder), STAGE)]


def install(box):
    box.run(["cp", "-a", f"{STAGE}/usr/.", "/usr/"])
