/*
 * loop.c - see loop.h.
 */
#include "signer/loop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "common/log.h"
#include "signer/clients.h"

#define DRAIN_USEC \
	(2 * USEC_PER_SEC) /* after SIGTERM, for replies that a client is slow to take \
			    */
#define STATUS_USEC (5 * USEC_PER_SEC) /* at most so often, and only if something was counted */

struct keyd_run {
	struct keyd *keyd;
	struct clients clients;
	uint64_t watchdog_usec; /* 0: none wanted */
	uint64_t status_usec; /* when the last status was sent */
	uint64_t status_sum;
	bool stopping;
};

int
keyd_listeners(struct keyd *k, struct why *why)
{
	const int n = sd_listen_fds(1);

	if (n < 0)
		return why_set(why, n, "sd_listen_fds");
	if (n == 0)
		return why_set(why, -ENOENT, "no socket was passed: start sallyport-keyd.socket");
	if (n > LISTENERS_MAX)
		return why_set(
		    why, -EINVAL, "%d sockets were passed, at most %d", n, LISTENERS_MAX);
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
		const int flags = fcntl(fd, F_GETFL);

		if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, NULL, 0) <= 0)
			return why_set(why, -EINVAL,
			    "descriptor %d is no listening unix seqpacket socket "
			    "(ListenSequentialPacket=, Accept=no)",
			    fd);
		if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
			return why_set(why, -errno, "descriptor %d", fd);
		k->listeners[k->n_listeners++] = fd;
	}
	return 0;
}

int
keyd_signals(struct keyd *k, struct why *why)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return why_set(why, -errno, "sigprocmask");
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signals < 0 ? why_set(why, -errno, "signalfd") : 0;
}

static void
tell_status(struct keyd_run *run, uint64_t now_usec)
{
	const struct clients_count *n = &run->clients.count;
	const uint64_t sum = n->accepted + n->turned_away + n->dropped + n->signed_ + n->refused +
			     n->failed + n->throttled;

	if (sum == run->status_sum || now_usec - run->status_usec < STATUS_USEC)
		return;
	run->status_sum = sum;
	run->status_usec = now_usec;
	/* Nobody may be listening; that is no failure of ours. */
	(void)sd_notifyf(0,
	    "STATUS=%zu keys, %zu clients, %llu signed, %llu refused, %llu failed, %llu dropped, "
	    "%llu throttled",
	    keyset_current(&run->keyd->set), run->clients.n, (unsigned long long)n->signed_,
	    (unsigned long long)n->refused, (unsigned long long)n->failed,
	    (unsigned long long)n->dropped, (unsigned long long)n->throttled);
}

/* The requests that are waiting in the sockets meanwhile are answered with whichever set is there.
 */
static void
reload(struct keyd_run *run)
{
	struct keyd *k = run->keyd;
	struct why why;
	const uint64_t now = clock_usec();

	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now);
	if (keyset_load(&k->set, &k->options.sources, now, &why) < 0) {
		log_error("keys not reloaded, the old ones stay: %s", why.text);
	} else {
		log_info("reloaded: %zu keys, %zu replaced ones sign for %llu s more",
		    keyset_current(&k->set), k->set.n - keyset_current(&k->set),
		    (unsigned long long)(k->options.retire_usec / USEC_PER_SEC));
		clients_keys_changed(&run->clients, &k->set);
	}
	(void)sd_notify(0, "READY=1");
}

static void
take_signals(struct keyd_run *run)
{
	struct signalfd_siginfo si;

	while (read(run->keyd->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			reload(run);
		else
			run->stopping = true;
	}
}

/* Listeners and the signals first, clients behind. */
struct keyd_poll {
	struct pollfd fds[LISTENERS_MAX + 1 + CLIENTS_MAX];
	size_t n_clients;
};

static int
wait_for_work(struct keyd_run *run, struct keyd_poll *p, uint64_t now_usec)
{
	struct keyd *k = run->keyd;
	int timeout = run->watchdog_usec > 0 ? (int)(run->watchdog_usec / 2000) : -1;

	for (size_t i = 0; i < k->n_listeners; i++)
		p->fds[i] = (struct pollfd){ .fd = k->listeners[i], .events = POLLIN };
	p->fds[k->n_listeners] = (struct pollfd){ .fd = k->signals, .events = POLLIN };
	p->n_clients =
	    clients_poll_fill(&run->clients, p->fds + k->n_listeners + 1, &timeout, now_usec);
	if (k->set.n > keyset_current(&k->set) && (timeout < 0 || timeout > 1000))
		timeout = 1000; /* a replaced key is waiting to be wiped */
	if (poll(p->fds, (nfds_t)(k->n_listeners + 1 + p->n_clients), timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	return 1;
}

static int
turn(struct keyd_run *run)
{
	struct keyd *k = run->keyd;
	struct keyd_poll p;
	const int r = wait_for_work(run, &p, clock_usec());
	const uint64_t now = clock_usec();

	if (r <= 0)
		return r;
	if (run->watchdog_usec > 0)
		(void)sd_notify(0, "WATCHDOG=1");
	clients_poll_done(&run->clients, &k->set, p.fds + k->n_listeners + 1, p.n_clients, now);
	for (size_t i = 0; i < k->n_listeners; i++)
		if (p.fds[i].revents & POLLIN)
			clients_accept(&run->clients, k->listeners[i]);
	if (p.fds[k->n_listeners].revents)
		take_signals(run);
	if (keyset_expire(&k->set, now, k->options.retire_usec) > 0)
		log_info("replaced keys were wiped");
	tell_status(run, now);
	return 0;
}

/* What was asked before SIGTERM is answered; new clients wait in the socket for the next signer. */
static void
drain(struct keyd_run *run)
{
	struct pollfd fds[CLIENTS_MAX];
	const uint64_t end = clock_usec() + DRAIN_USEC;

	for (uint64_t now = clock_usec(); now < end; now = clock_usec()) {
		int wait = 100;
		const size_t n = clients_poll_fill(&run->clients, fds, &wait, now);
		const int ready =
		    poll(fds, (nfds_t)n, clients_are_flushed(&run->clients) ? 0 : wait);

		if (ready < 0 || (ready == 0 && clients_are_flushed(&run->clients)))
			break;
		clients_poll_done(&run->clients, &run->keyd->set, fds, n, now);
	}
}

int
keyd_loop(struct keyd *k, struct why *why)
{
	struct keyd_run run = { .keyd = k };
	int r = 0;

	clients_init(&run.clients, k->options.rate_per_sec, k->options.rate_burst);
	if (sd_watchdog_enabled(0, &run.watchdog_usec) <= 0)
		run.watchdog_usec = 0;
	(void)sd_notifyf(0, "READY=1\nSTATUS=%zu keys", keyset_current(&k->set));
	while (!run.stopping && r >= 0)
		r = turn(&run);
	(void)sd_notify(0, "STOPPING=1");
	if (r < 0)
		(void)why_set(why, r, "poll");
	else
		drain(&run);
	log_info("leaving: %llu signed, %llu refused, %llu clients dropped",
	    (unsigned long long)run.clients.count.signed_,
	    (unsigned long long)run.clients.count.refused,
	    (unsigned long long)run.clients.count.dropped);
	clients_done(&run.clients);
	return r < 0 ? r : 0;
}
