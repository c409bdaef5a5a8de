/*
 * depend.c - see depend.h.
 * Runs as: manager.
 */
#include "launcher/manager/depend.h"

#include "common/log.h"
#include "launcher/manager/job.h"
#include "launcher/manager/service.h"

/* A row of the reverse table: u's list of dependency kind names `of`. */
struct reverse {
	uint32_t of, kind, from;
};

bool
unit_is_up(const struct unit *u)
{
	if (u->plan->kind == UNIT_SERVICE)
		return service_is_up(u->service.state);
	return u->socket.state == SOCKET_LISTENING || u->socket.state == SOCKET_RUNNING;
}

bool
unit_is_down(const struct unit *u)
{
	if (u->plan->kind == UNIT_SERVICE)
		return service_is_down(u->service.state);
	return u->socket.state == SOCKET_DEAD || u->socket.state == SOCKET_FAILED;
}

#define DEPEND_FOREACH(m, u, kind_, v) \
	PLAN_FOREACH ((m)->plan, (u)->plan->dependencies[kind_], struct plan_index, x_) \
		for (struct unit *v = &(m)->units[x_->index]; v; v = NULL)

/* Those whose list of this kind has u. */
#define REVERSE_FOREACH(m, u, kind_, v) \
	for (const struct reverse *r_ = reverse_first((m), (u)); \
	     r_ && r_ < (m)->reverse + (m)->n_reverse && r_->of == (u)->plan->index; r_++) \
		for (struct unit *v = r_->kind == (uint32_t)(kind_) ? &(m)->units[r_->from] \
								    : NULL; \
		     v; v = NULL)

static int
compare_reverse(const void *x, const void *y)
{
	const struct reverse *a = x, *b = y;

	if (a->of != b->of)
		return a->of < b->of ? -1 : 1;
	return a->from < b->from ? -1 : a->from > b->from;
}

static const struct reverse *
reverse_first(const struct manager *m, const struct unit *u)
{
	size_t low = 0, high = m->n_reverse;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (m->reverse[mid].of < u->plan->index)
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->n_reverse ? &m->reverse[low] : NULL;
}

static int
build_reverse(struct manager *m)
{
	size_t n = 0;

	for (uint32_t i = 0; i < m->plan->n_units; i++)
		for (size_t kind = 0; kind < DEPENDENCY_END; kind++)
			n += m->units[i].plan->dependencies[kind].n;
	m->reverse = calloc(n ? n : 1, sizeof(*m->reverse));
	if (!m->reverse)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		for (size_t kind = 0; kind < DEPENDENCY_END; kind++)
			DEPEND_FOREACH(m, &m->units[i], kind, v)
	m->reverse[m->n_reverse++] = (struct reverse){ v->plan->index, (uint32_t)kind, i };
	qsort(m->reverse, m->n_reverse, sizeof(*m->reverse), compare_reverse);
	return 0;
}

/* One more than the highest of those before it; true if that changed something. */
static bool
raise_rank(struct manager *m, struct unit *u)
{
	const uint32_t before = u->rank;

	DEPEND_FOREACH(m, u, DEPENDENCY_AFTER, v)
	if (v != u && v->rank + 1 > u->rank)
		u->rank = v->rank + 1;
	return u->rank != before;
}

/* The longest way to each unit; those in a circle would rise for ever, and end level: then
 * After= does not hold among them, as systemd drops a job to break one. */
static void
build_ranks(struct manager *m)
{
	const uint32_t n = m->plan->n_units;
	bool more = true;

	for (uint32_t round = 0; round <= n && more; round++) {
		more = false;
		for (uint32_t i = 0; i < n; i++)
			more |= raise_rank(m, &m->units[i]);
	}
	for (uint32_t i = 0; more && i < n; i++)
		if (m->units[i].rank >= n) {
			m->units[i].rank = n;
			log_unit(LOG_LEVEL_WARNING, plan_unit_id(m->plan, i),
			    "After= goes in a circle: no order there");
		}
}

int
depend_init(struct manager *m)
{
	if (build_reverse(m) < 0)
		return -ENOMEM;
	build_ranks(m);
	return 0;
}

void
depend_done(struct manager *m)
{
	free(m->reverse);
	m->reverse = NULL;
	m->n_reverse = 0;
}

/* ---- jobs that go with a job ---- */

static void
want_up(struct manager *m, struct unit *v)
{
	if (!v->plan->is_template && !unit_is_up(v) && v->job != JOB_RESTART)
		job_request(m, v, JOB_START);
}

static void
want_down(struct manager *m, struct unit *v)
{
	if (!unit_is_down(v) || v->job != JOB_NONE)
		job_request(m, v, JOB_STOP);
}

static void
request_start(struct manager *m, struct unit *u)
{
	DEPEND_FOREACH(m, u, DEPENDENCY_REQUIRES, v)
	want_up(m, v);
	DEPEND_FOREACH(m, u, DEPENDENCY_BINDS_TO, v)
	want_up(m, v);
	DEPEND_FOREACH(m, u, DEPENDENCY_WANTS, v)
	want_up(m, v);
	DEPEND_FOREACH(m, u, DEPENDENCY_CONFLICTS, v)
	want_down(m, v);
	REVERSE_FOREACH(m, u, DEPENDENCY_CONFLICTS, v)
	want_down(m, v);
}

/* Whoever cannot be without it; systemd's UNIT_ATOM_PROPAGATE_STOP. */
static const enum dependency needed_by[] = { DEPENDENCY_REQUIRES, DEPENDENCY_REQUISITE,
	DEPENDENCY_BINDS_TO, DEPENDENCY_PART_OF };

static void
request_stop(struct manager *m, struct unit *u)
{
	for (size_t i = 0; i < ELEMENTSOF(needed_by); i++)
		REVERSE_FOREACH(m, u, needed_by[i], v)
	want_down(m, v);
}

static void
request_restart(struct manager *m, struct unit *u)
{
	request_start(m, u);
	for (size_t i = 0; i < ELEMENTSOF(needed_by); i++)
		REVERSE_FOREACH(m, u, needed_by[i], v)
	if (!unit_is_down(v) && v->job == JOB_NONE)
		job_request(m, v, JOB_RESTART);
}

void
depend_request(struct manager *m, struct unit *u, enum job_kind kind)
{
	switch (kind) {
	case JOB_START:
		request_start(m, u);
		break;
	case JOB_STOP:
		request_stop(m, u);
		break;
	case JOB_RESTART:
		request_restart(m, u);
		break;
	case JOB_RELOAD:
	case JOB_NONE:
	case JOB_KIND_END:
		break;
	}
}

/* ---- order ---- */

static bool
goes_down(const struct unit *u)
{
	return u->job == JOB_STOP || (u->job == JOB_RESTART && !unit_is_down(u));
}

bool
depend_waits(const struct manager *m, const struct unit *u)
{
	const bool down = goes_down(u);

	/* What comes after it stops before it; and a stop always comes before a start. */
	REVERSE_FOREACH(m, u, DEPENDENCY_AFTER, v)
	if (v->rank > u->rank && goes_down(v))
		return true;
	if (down)
		return false;
	DEPEND_FOREACH(m, u, DEPENDENCY_AFTER, v)
	if (v->rank < u->rank && v->job != JOB_NONE)
		return true;
	return false;
}

const struct unit *
depend_missing(const struct manager *m, const struct unit *u)
{
	DEPEND_FOREACH(m, u, DEPENDENCY_REQUISITE, v)
	if (!unit_is_up(v))
		return v;
	/* What it is bound to and comes after must be up by now. */
	DEPEND_FOREACH(m, u, DEPENDENCY_BINDS_TO, v)
	if (v->rank < u->rank && !unit_is_up(v))
		return v;
	return NULL;
}

void
depend_failed(struct manager *m, struct unit *u)
{
	static const enum dependency kinds[] = { DEPENDENCY_REQUIRES, DEPENDENCY_REQUISITE,
		DEPENDENCY_BINDS_TO };

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
		REVERSE_FOREACH(m, u, kinds[i], v)
	if (v->job == JOB_START && !v->job_begun) {
		log_unit(LOG_LEVEL_ERROR, plan_str(m->plan, v->plan->id),
		    "not started: it requires %s", plan_str(m->plan, u->plan->id));
		job_fail(m, v, "dependency");
	}
}

void
depend_went_down(struct manager *m, struct unit *u)
{
	REVERSE_FOREACH(m, u, DEPENDENCY_BINDS_TO, v)
	if (!unit_is_down(v) && !goes_down(v) && !(v->job == JOB_START && !v->job_begun)) {
		log_unit(LOG_LEVEL_INFO, plan_str(m->plan, v->plan->id),
		    "stops with %s, to which it is bound", plan_str(m->plan, u->plan->id));
		job_request(m, v, JOB_STOP);
	}
}
