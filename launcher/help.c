/*
 * help.c - data: what the verbs that start as root print for --help.
 * Runs as: nobody; main.c and launcher/start/ print it.
 */
#include "launcher/help.h"

const char help_sallyport[] =
    "Usage: sallyport VERB [OPTION]... [ARGUMENT]...\n"
    "Privileged sockets for servers that never have root.\n"
    "\n"
    "  run UNIT...                open the sockets of units, start services on traffic\n"
    "  exec -l ADDRESS -- COMMAND bind, become a user, execute\n"
    "  check UNIT...              what each directive does here, and the whole plan\n"
    "  audit                      what every process of ours could do; fails if a server could\n"
    "                             become root\n"
    "  status, show, list         what runs\n"
    "  start, stop, restart, reload, kill, is-active, is-failed, reset-failed UNIT\n"
    "\n"
    "sallyport VERB --help tells more; so does sallyport(8).\n";

const char help_run[] =
    "Usage: sallyport run [OPTION]... UNIT...\n"
    "Open the sockets of the units, start their services when there is traffic.\n"
    "\n"
    "  --unit-path DIR            look for units here first (repeatable)\n"
    "  --runtime-dir DIR          control and notify sockets (default /run/sallyport)\n"
    "  --manager-user USER        who decides, without any right (default sallyport)\n"
    "  --allow-root-services      let services without a User= run as root\n"
    "  --allow-capabilities       let services have what AmbientCapabilities= says\n"
    "  --unenforced DIRECTIVE     start although this directive cannot be enforced (repeatable)\n"
    "  --log-format text|json     one line an event, to standard error\n"
    "  -h, --help\n"
    "\n"
    "A .socket waits for traffic, a .service starts at once. SIGTERM stops them all.\n"
    "See sallyport(8).\n";

const char help_exec[] =
    "Usage: sallyport exec -l ADDRESS... [OPTION]... -- COMMAND [ARGUMENT]...\n"
    "Bind, become USER, wait for traffic, execute COMMAND. Nothing of the launcher stays.\n"
    "\n"
    "  -l, --listen ADDRESS       PORT, IP:PORT, [IPv6]:PORT, /path or @name (repeatable)\n"
    "  -u, --user USER[:GROUP]    who COMMAND runs as; needed when called as root\n"
    "  -d, --datagram             datagram sockets\n"
    "      --seqpacket            sequential-packet sockets\n"
    "  -a, --accept               accept, and execute COMMAND for each connection\n"
    "      --inetd                pass the socket as standard input and output\n"
    "      --fdname NAME[:NAME]   names for the descriptors\n"
    "  -E, --setenv VAR[=VALUE]   set a variable, or pass it on (repeatable)\n"
    "      --allow-root-services  called as root without -u: let COMMAND run as root\n"
    "  -h, --help\n"
    "\n"
    "Descriptors that this process was itself activated with are passed on first.\n"
    "See sallyport(8) and systemd-socket-activate(1).\n";
