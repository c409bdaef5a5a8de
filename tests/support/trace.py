"""What tests/privilege/exec_tracer.c wrote down, and what would be wrong with it."""

import json

TRACER = "/opt/tools/exec_tracer"
SETS = ("ambient", "bounding", "effective", "inheritable", "permitted")


def events(box, path):
    return [json.loads(line) for line in box.read(path).splitlines()]


def violations(event, uid, gid, groups):
    """Everything by which this image has, or could get back, more than its user has."""
    found = []
    if event["uids"] != [uid] * 4:
        found.append(f"uids {event['uids']}, not all {uid}")
    if event["gids"] != [gid] * 4:
        found.append(f"gids {event['gids']}, not all {gid}")
    if set(event["groups"]) - set(groups):
        found.append(f"groups {event['groups']}, more than {sorted(groups)}")
    found += [f"{name} capabilities {event['cap_' + name]:x}" for name in SETS
              if event["cap_" + name] != 0]
    if not event["no_new_privs"]:
        found.append("no_new_privs is off")
    return found
