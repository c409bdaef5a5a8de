"""The operator's verbs in a box: `sallyport VERB`, and what they print as Python."""

import json

from support.box import LAUNCHER, wait_for


def ctl(box, verb, *args, check=False, user=None, timeout=30):
    """Runs a verb to its end. `user` is "svc" or the like: another caller than root."""
    wrapper = ["setpriv", f"--reuid={user}", "--init-groups", f"--regid={user}"] if user else []
    return box.run([*wrapper, LAUNCHER, verb, *args], check=check, timeout=timeout)


def show(box, unit):
    """{"Key": "Value"} as `show` prints it; of a repeated key the last."""
    text = ctl(box, "show", unit, check=True).stdout
    return dict(line.split("=", 1) for line in text.splitlines())


def wait_state(box, unit, state, timeout=10):
    """Until SubState is this; returns everything that show tells."""
    return wait_for(lambda: (lambda s: s if s["SubState"] == state else None)(show(box, unit)),
                    timeout, f"{unit} to be {state}")


def audit(box, *args, **kw):
    """(exit code, {pid inside: process}) of `audit --json`."""
    done = ctl(box, "audit", "--json", *args, **kw)
    processes = json.loads(done.stdout)["processes"] if done.stdout else []
    return done.returncode, {p["pid"]: p for p in processes}


__all__ = ["audit", "ctl", "show", "wait_state"]
