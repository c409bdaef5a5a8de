"""What we understand of a unit file is what systemd understands of it, value by value."""
import os
import shutil
import tempfile

import pytest

import parsed

SALLYPORT = os.path.join(os.environ.get("SALLYPORT_BUILD", "build"), "bin/sallyport")
pytestmark = pytest.mark.skipif(not parsed.available(), reason="no systemd to ask")

# Ours on purpose, or systemd 252 printing what is not the value: directive, and why.
MEANT = {
    "Backlog": "systemd 252 prints INT_MAX; newer ones have UINT32_MAX, as we",
    "FlushPending": "systemd 252 prints it only without Accept=yes",
    "CapabilityBoundingSet": "empty by default for a service of a user that is not root",
}

SERVICE = {
    "words": 'ExecStart=/bin/e a  b "c d" \'e f\' g"h i"j "" \'\'',
    "escapes": r'ExecStart=/bin/e \x41 \102 a\sb \t "\"" \\ \u00e4 "it\'s"',
    "unknown escape": r'ExecStart=/bin/e \q "\z"',
    "specifiers": "ExecStart=/bin/e %n %N %p %i %j %t %S %C %L %E %T %V %% %%n %U %u",
    "variables stay": "ExecStart=/bin/e $A ${B} $$ :x",
    "argv0": "ExecStart=-@/bin/e zero a b",
    "semicolon quoted": 'ExecStart=/bin/e a ";" \\; b',
    "two commands": "Type=oneshot\nExecStart=/bin/e a ; /bin/f b\nExecStart=/bin/g",
    "reset": "ExecStart=/bin/e\nExecStart=\nExecStart=/bin/f",
    "continuation": "ExecStart=/bin/e a \\\n  b \\\n# comment\n; comment\n c",
    "backslash at the end": "ExecStart=/bin/e a\\\\\nUMask=7",
    "slashes": "ExecStart=/bin/e a//b//",
    "name in PATH": "ExecStart=true a",
    "pre and post": "ExecStartPre=-/bin/a\nExecStartPre=+/bin/b\nExecStart=/bin/e\n"
                    "ExecStartPost=/bin/c\nExecReload=/bin/kill -HUP $MAINPID\nExecStop=/bin/d",
    "environment": 'ExecStart=/bin/e\nEnvironment=A=1 "B=2 3" C= D\nEnvironment="E=\\x41" \'F="\'',
    "environment again": "ExecStart=/bin/e\nEnvironment=A=1\nEnvironment=\nEnvironment=B=%n",
    "times": "ExecStart=/bin/e\nTimeoutStartSec=1min 30s\nTimeoutStopSec=1.5h\nRestartSec=250ms\n"
             "RuntimeMaxSec=2d 1s",
    "no time limit": "ExecStart=/bin/e\nTimeoutSec=0\nRestartSec=0",
    "infinity": "ExecStart=/bin/e\nTimeoutStartSec=infinity\nTimeoutStopSec=infinity",
    "bad time": "ExecStart=/bin/e\nTimeoutStartSec=soon\nRestartSec=-1",
    "limits": "ExecStart=/bin/e\nLimitNOFILE=10:20\nLimitCORE=infinity\nLimitMEMLOCK=64K\n"
              "LimitCPU=1min\nLimitRTTIME=1ms\nLimitNPROC=7\nLimitDATA=1.5M",
    "directories": "ExecStart=/bin/e\nRuntimeDirectory=a b/c\nRuntimeDirectoryMode=750\n"
                   "StateDirectory=d\nWorkingDirectory=-/srv//x/\nUMask=27",
    "standard": "ExecStart=/bin/e\nStandardInput=null\nStandardOutput=append:/var/log/x\n"
                "StandardError=inherit",
    "kill": "ExecStart=/bin/e\nKillMode=mixed\nKillSignal=INT\nSendSIGKILL=no\nSendSIGHUP=1\n"
            "RestartKillSignal=SIGUSR1\nFinalKillSignal=9",
    "restart": "ExecStart=/bin/e\nRestart=on-abnormal\nType=notify\nNotifyAccess=all",
    "notify implies": "ExecStart=/bin/e\nType=notify",
    "watchdog": "ExecStart=/bin/e\nWatchdogSec=20",
    "pid file": "ExecStart=/bin/e\nType=forking\nPIDFile=x.pid",
    "who": "ExecStart=/bin/e\nUser=daemon\nGroup=1\nNice=-3\nOOMScoreAdjust=-5",
    "capabilities": "ExecStart=/bin/e\nUser=daemon\nCapabilityBoundingSet=CAP_CHOWN cap_kill\n"
                    "CapabilityBoundingSet=~CAP_KILL\nCapabilityBoundingSet=CAP_SYS_TIME",
    "blanks": "  ExecStart = /bin/e  a  \n\tUMask= 0077 ",
    "lines of DOS": "ExecStart=/bin/e a\r\nUMask=0077\r",
}

SOCKET = {
    "addresses": "ListenStream=21080\nListenStream=127.0.0.1:21081\nListenStream=[::1]:21082\n"
                 "ListenDatagram=%t/x-%p\nListenSequentialPacket=@a b\nListenStream=vsock:2:99",
    "reset": "ListenStream=21080\nListenDatagram=21081\nListenStream=\nListenStream=21082",
    "others": "ListenFIFO=/run/f\nListenSpecial=/dev/null\nListenNetlink=kobject-uevent 1\n"
              "ListenNetlink=route\nListenMessageQueue=/q",
    "modes": "ListenStream=/run/x\nSocketMode=777\nDirectoryMode=0700\nBacklog=5\n"
             "RemoveOnStop=True\nSymlinks=/run/a /run/b",
    "options": "ListenStream=21080\nKeepAlive=yes\nKeepAliveTimeSec=2min\nKeepAliveProbes=3\n"
               "KeepAliveIntervalSec=5\nDeferAcceptSec=1\nPriority=3\nReceiveBuffer=128M\n"
               "SendBuffer=1.5K\nIPTTL=64\nMark=7\nFreeBind=1\nReusePort=on\nNoDelay=t\n"
               "PassCredentials=y\nBroadcast=no\nTCPCongestion=reno\nPassSecurity=1",
    "tos": "ListenStream=21080\nIPTOS=low-delay",
    "v6 only": "ListenStream=21080\nBindIPv6Only=ipv6-only",
    "sloppy": "ListenStream=21080\nBindIPv6Only=yes\nBacklog=many\nKeepAlive=perhaps\nPriority=x",
    "names": "ListenStream=21080\nFileDescriptorName=h-%p",
    "bad name": "ListenStream=21080\nFileDescriptorName=a:b",
    "owner": "ListenStream=/run/x\nSocketUser=daemon\nSocketGroup=1",
    "limits": "ListenStream=21080\nTriggerLimitIntervalSec=10\nTriggerLimitBurst=5",
}


def slug(name):
    return name.replace(" ", "-")


@pytest.fixture(scope="module", name="both")
def load_both():
    folder = tempfile.mkdtemp(prefix="sallyport-parse-")
    os.chmod(folder, 0o755)
    units = []
    for cases, kind in ((SERVICE, "service"), (SOCKET, "socket")):
        for name, text in cases.items():
            units.append(f"{slug(name)}.{kind}")
            with open(f"{folder}/{units[-1]}", "w", encoding="utf-8", newline="") as f:
                f.write(f"[{kind.title()}]\n{text}\n")
            if kind == "socket":
                with open(f"{folder}/{slug(name)}.socket", "a", encoding="utf-8") as f:
                    f.write("Service=served.service\n")
    with open(f"{folder}/served.service", "w", encoding="utf-8") as f:
        f.write("[Service]\nExecStart=/bin/true\n")
    theirs, said = parsed.by_systemd([folder], units)
    yield folder, theirs, said
    shutil.rmtree(folder)


def same(name, theirs, ours):
    if name in parsed.DEPENDENCIES:  # systemd has those on targets, and implied ones, too
        return ours <= (theirs or set())
    return theirs == ours


def differences(theirs, ours, meant):
    return [f"{name}: systemd {theirs.get(name)}, ours {value}" for name, value in ours.items()
            if name not in meant and not same(name, theirs.get(name), value)
            # what is not set is printed by neither, or by systemd as this
            and not (theirs.get(name) is None and name in ("Symlinks",))]


@pytest.mark.parametrize("unit", [f"{slug(n)}.service" for n in SERVICE] +
                         [f"{slug(n)}.socket" for n in SOCKET])
def test_same_values(both, unit):
    folder, theirs, said = both
    ours, findings = parsed.by_sallyport(SALLYPORT, [folder], unit)
    assert ours, [f for f in findings if f["level"] in ("error", "refused")]
    assert unit in theirs, said[-2000:]
    meant = dict(MEANT)
    if unit == "capabilities.service":
        del meant["CapabilityBoundingSet"]
    assert not differences(theirs[unit], ours[unit], meant)


def variable(name):
    return f"[Service]\nEnvironment={name}\n"


# Files of two folders, "hi" before "lo"; what the units come to is asked of systemd.
DROPINS = {
    "lo/a-b@.service": "[Unit]\nRequires=r.service\n[Service]\nExecStart=/bin/e %i\n"
                       "Environment=FILE=lo ORDER=0\n",
    "hi/a-b@i.service.d/50-instance.conf": variable("ORDER=instance I=1"),
    "hi/a-b@.service.d/50-template.conf": variable("ORDER=template T=1"),
    "lo/a-@.service.d/70-prefix.conf": variable("ORDER=prefix P=1"),
    "hi/service.d/10-type.conf": variable("ORDER=type TYPE=1"),
    "lo/service.d/10-type.conf": variable("MASKED=1"),
    "lo/a-b@i.service.d/60-same.conf": variable("SAME=lo-instance"),
    "hi/a-@.service.d/60-same.conf": variable("SAME=hi-prefix"),
    "hi/a-b@i.service.d/20-null.conf": None,
    "lo/service.d/20-null.conf": variable("NULLED=1"),
    "lo/a-b@i.service.wants/w.service": None,
    "hi/r.service": "[Unit]\nPartOf=a-b@i.service\n[Service]\nExecStart=/bin/r\n",
    "lo/r.service": "[Service]\nExecStart=/bin/wrong\n",
    "lo/w.service": "[Service]\nExecStart=/bin/w\n",
    "hi/w.service.d/reset.conf": "[Service]\nExecStart=\nExecStart=/bin/w2\n",
    "lo/nick.service": "r.service",
}


def test_dropins_links_and_aliases():
    top = tempfile.mkdtemp(prefix="sallyport-parse-")
    os.chmod(top, 0o755)
    folders = [f"{top}/hi", f"{top}/lo"]
    for name, text in DROPINS.items():
        os.makedirs(os.path.dirname(f"{top}/{name}"), exist_ok=True)
        if text is None or "\n" not in text:
            os.symlink(text or ("/dev/null" if name.endswith(".conf") else "../w.service"),
                       f"{top}/{name}")
        else:
            with open(f"{top}/{name}", "w", encoding="utf-8") as f:
                f.write(text)
    units = ["a-b@i.service", "nick.service"]
    theirs, said = parsed.by_systemd(folders, units)
    ours, findings = parsed.by_sallyport(SALLYPORT, folders, units[0])
    assert ours, findings
    assert sorted(ours) == ["a-b@i.service", "r.service", "w.service"]
    for unit in ours:
        assert not differences(theirs[unit], ours[unit], MEANT), said[-2000:]
    assert sorted(ours["a-b@i.service"]["Environment"]) != []
    aliased, _ = parsed.by_sallyport(SALLYPORT, folders, "nick.service")
    assert "r.service" in aliased and "r.service" in theirs
    shutil.rmtree(top)


CACHE = "/var/tmp/sallyport-debian-units"  # tests/interop/debian-units leaves it


@pytest.mark.skipif(not os.path.isdir(CACHE) or os.geteuid() != 0,
                    reason="as root, after tests/interop/debian-units")
def test_same_values_of_all_of_debian():
    folders = [tempfile.mkdtemp(prefix="sallyport-parse-"), f"{CACHE}/root/lib/systemd/system"]
    os.chmod(folders[0], 0o755)
    units = [u.replace("@.", "@x.") for u in sorted(os.listdir(folders[1])) if u.endswith(".socket")]
    theirs, _ = parsed.by_systemd(folders, units)
    shutil.rmtree(folders[0])
    meant = {**MEANT, "FileDescriptorName": "with Accept=yes it is connection, whatever is printed",
             "Type": "dbus is not done here"}
    found, compared = [], 0
    for unit in units:
        ours, _ = parsed.by_sallyport(SALLYPORT, folders[1:], unit, CACHE)
        for name in ours or {}:
            if name in theirs:
                compared += 1
                found += [f"{name}: {d}" for d in differences(theirs[name], ours[name], meant)]
    assert compared > 100
    assert not found
