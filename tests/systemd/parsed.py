"""parsed.py - what systemd and what sallyport understand of the same unit files, made comparable.

`systemd --test` loads units, prints all it understood, and starts nothing. It refuses to be root, so
it runs as nobody, over folders that everybody may read. `sallyport check --json` is the other side.
"""
import json
import os
import re
import shutil
import subprocess

SYSTEMD = "/lib/systemd/systemd"
SECONDS = {"y": 31557600, "month": 2629800, "w": 604800, "d": 86400, "h": 3600, "min": 60, "s": 1,
           "ms": 0.001, "us": 0.000001}


def usec(text):
    if text == "infinity":
        return text
    return sum(round(float(n or 0) * SECONDS[unit or "s"] * 1000000)
               for n, unit in re.findall(r"([\d.]+)([a-z]*)", text))


def words(text):
    """The words of a command line as either side prints it: double quotes, backslash escapes."""
    out, word, quoted, i = [], None, False, 0
    while i < len(text):
        c = text[i]
        if c == "\\" and i + 1 < len(text):
            i += 1
            word = (word or "") + {"n": "\n", "t": "\t"}.get(text[i], text[i])
        elif c == '"':
            quoted, word = not quoted, word or ""
        elif c == " " and not quoted:
            if word is not None:
                out.append(word)
            word = None
        else:
            word = (word or "") + c
        i += 1
    return out + ([word] if word is not None else [])


def command(text):
    """Ours: prefix signs, the path, the arguments. Theirs has argv alone."""
    signs = re.match(r"[-@:+!]*", text).group()
    argv = words(text[len(signs):])
    return argv[1:] if "@" in signs else argv


def kind(value):
    """systemd does not print the path, and nothing here writes to the console as well."""
    return re.split("[:+]", value)[0]


def group(value):
    """systemd prints the groups of a netlink line that has none."""
    return value if " " in value else value + " 0"


# Directive: how a value is made comparable. What is not here is not compared.
AS_IS = str
SETTINGS = {
    "Description": AS_IS, "Type": AS_IS, "Restart": AS_IS, "NotifyAccess": AS_IS,
    "RestartSec": usec, "TimeoutStartSec": usec, "TimeoutStopSec": usec, "RuntimeMaxSec": usec,
    "WatchdogSec": usec, "RemainAfterExit": AS_IS, "PermissionsStartOnly": AS_IS,
    "NonBlocking": AS_IS, "PIDFile": AS_IS, "KillMode": AS_IS, "KillSignal": AS_IS,
    "RestartKillSignal": AS_IS, "FinalKillSignal": AS_IS, "SendSIGKILL": AS_IS, "SendSIGHUP": AS_IS,
    "UMask": AS_IS, "WorkingDirectory": lambda v: v.lstrip("-"), "IgnoreSIGPIPE": AS_IS, "Environment": AS_IS,
    "EnvironmentFile": AS_IS, "PassEnvironment": AS_IS, "UnsetEnvironment": AS_IS, "User": AS_IS,
    "Group": AS_IS, "Nice": AS_IS, "OOMScoreAdjust": AS_IS, "RuntimeDirectory": AS_IS,
    "StateDirectory": AS_IS, "CacheDirectory": AS_IS, "LogsDirectory": AS_IS,
    "ConfigurationDirectory": AS_IS, "RuntimeDirectoryMode": AS_IS, "StateDirectoryMode": AS_IS,
    "RuntimeDirectoryPreserve": AS_IS, "StandardInput": kind, "StandardOutput": kind,
    "StandardError": kind, "ExecStartPre": command, "ExecStart": command, "ExecStartPost": command,
    "ExecReload": command, "ExecStop": command, "ExecStopPost": command, "BindIPv6Only": AS_IS,
    "Backlog": AS_IS, "SocketMode": AS_IS, "DirectoryMode": AS_IS, "FileDescriptorName": AS_IS,
    "ListenStream": AS_IS, "ListenDatagram": AS_IS, "ListenSequentialPacket": AS_IS,
    "ListenFIFO": AS_IS, "ListenSpecial": AS_IS, "ListenNetlink": group,
    "ListenMessageQueue": AS_IS, "SocketUser": AS_IS, "SocketGroup": AS_IS, "Symlinks": AS_IS,
    "BindToDevice": AS_IS, "KeepAlive": AS_IS, "KeepAliveTimeSec": usec,
    "KeepAliveIntervalSec": usec, "KeepAliveProbes": AS_IS, "DeferAcceptSec": usec,
    "NoDelay": AS_IS, "Priority": AS_IS, "ReceiveBuffer": AS_IS, "SendBuffer": AS_IS,
    "IPTOS": AS_IS, "IPTTL": AS_IS, "Mark": AS_IS, "PipeSize": AS_IS, "FreeBind": AS_IS,
    "Transparent": AS_IS, "Broadcast": AS_IS, "PassCredentials": AS_IS, "PassSecurity": AS_IS,
    "PassPacketInfo": AS_IS, "TCPCongestion": AS_IS, "ReusePort": AS_IS, "RemoveOnStop": AS_IS,
    "Writable": AS_IS, "FlushPending": AS_IS, "TriggerLimitIntervalSec": usec,
    "TriggerLimitBurst": AS_IS, "CapabilityBoundingSet": lambda v: sorted(v.split()),
}
LIMITS = {"Limit" + n for n in ("CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NOFILE", "AS",
                                "NPROC", "MEMLOCK", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE",
                                "RTPRIO", "RTTIME")}


DEPENDENCIES = ("Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Conflicts", "After")


def available():
    return os.path.exists(SYSTEMD) and shutil.which("setpriv")


def by_systemd(folders, units):
    """{unit: {directive: [values]}} of what systemd loaded, and what it said about the files."""
    env = {"PATH": os.environ["PATH"], "HOME": "/tmp", "SYSTEMD_LOG_LEVEL": "warning",
           "SYSTEMD_UNIT_PATH": ":".join(folders)}
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with open(os.path.join(folders[0], "all.target"), "w", encoding="utf-8") as f:
        f.write("[Unit]\nDefaultDependencies=no\nWants=" + " ".join(units) + "\n")
    r = subprocess.run((nobody if os.geteuid() == 0 else []) + [
        SYSTEMD, "--test", "--system", "--unit=all.target"], env=env, text=True, errors="replace",
        timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    loaded, unit, slot = {}, None, None
    for line in r.stdout.splitlines():
        if m := re.match(r"\t-> Unit (\S+):$", line):
            unit, slot = loaded.setdefault(m[1], {}), None
        elif m := re.match(r"\t\t-> (Exec\w+):$", line):
            slot = m[1]
        elif unit is not None and (m := re.match(r"\t\t\tCommand Line: (.*)$", line)):
            unit.setdefault(slot, []).append(words(m[1]))
        elif unit is not None and (m := re.match(r"\t\t([A-Z]\w+): (.*)$", line)):
            name, value = m.groups()
            unit.setdefault(name, []).append(value)
    return {u: tidy(loaded[u]) for u in loaded}, r.stdout


def tidy(unit):
    """Lists that systemd prints on one line, and limits on two, as we have them."""
    out = {}
    for name, values in unit.items():
        if name in ("PassEnvironment", "UnsetEnvironment", "RuntimeDirectory", "StateDirectory",
                    "CacheDirectory", "LogsDirectory", "ConfigurationDirectory", "Symlinks"):
            values = [w for v in values for w in v.split()]
        if name in LIMITS:
            values = [f"{unit[name + 'Soft'][0]}:{values[0]}"]
            out[name] = [v.replace(str(2**64 - 1), "infinity") for v in values]
        elif name.startswith("Exec"):
            out[name] = values
        elif name in SETTINGS:
            out[name] = [SETTINGS[name](v) for v in values]
        elif name in DEPENDENCIES:
            out[name] = {v.split()[0] for v in values}
    return out


def by_sallyport(program, folders, unit, etc=None):
    """({unit: {directive: [values]}} or None, the findings), whatever is refused accepted.

    etc: a folder whose passwd and group stand in for those of /etc."""
    base = []
    if etc:
        base = ["unshare", "-m", "sh", "-c", f"mount --bind {etc}/passwd /etc/passwd && "
                f'mount --bind {etc}/group /etc/group && exec "$@"', "sh"]
    base += [program, "check", "--json", "--allow-root-services"]
    for folder in folders:
        base += ["--unit-path", folder]
    accepted, result = [], {}
    for _ in range(2):
        r = subprocess.run(base + accepted + [unit], text=True, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        result = json.loads(r.stdout)
        accepted = [x for f in result["findings"] if f["level"] == "refused" and f["directive"]
                    for x in ("--unenforced", f["directive"].split(".")[-1])]
        if result["ok"]:
            break
    units = {}
    for u in result["units"]:
        mine = units.setdefault(u["id"], {})
        for name, value in u["settings"]:
            if name in LIMITS:
                mine.setdefault(name, []).append(value)
            elif name in SETTINGS:
                mine.setdefault(name, []).append(SETTINGS[name](value))
            elif name in DEPENDENCIES:
                mine.setdefault(name, set()).add(value)
    return (units if result["ok"] else None), result["findings"]
