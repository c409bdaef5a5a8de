/*
 * test_verify.c - launcher/unit/verify.h: a good plan passes, and no word of it can be changed to
 * something that would be followed out of it.
 */
#include "tests/unit/unit.h"

#include "launcher/load/build.h"
#include "launcher/unit/verify.h"

/* Two units that use every kind of reference. In ordinary memory, so that it can be spoilt. */
static struct plan *
make_plan(void)
{
	static struct build b;
	struct plan_unit *socket, *service;
	struct plan_listen *l;
	struct plan_command *c;
	struct plan_index *x;
	struct plan_env_file *f;
	struct plan_condition *k;
	struct ref r;
	struct plan *copy;

	assert_int_equal(build_init(&b, NULL), 0);
	socket = build_unit(&b, UNIT_SOCKET, "a.socket");
	service = build_unit(&b, UNIT_SERVICE, "a.service");
	socket->socket.service = service->index;
	socket->socket.fd_name = build_str(&b, "web");
	l = build_append(&b, &socket->socket.listens, sizeof(*l));
	l->unit = socket->index;
	l->text = build_str(&b, "80");
	b.plan->listens[b.plan->n_listens++] = socket->socket.listens.head;
	build_append_word(&b, &socket->socket.symlinks, "/a");
	x = build_append(&b, &service->service.sockets, sizeof(*x));
	x->index = socket->index;
	x = build_append(&b, &service->dependencies[DEPENDENCY_AFTER], sizeof(*x));
	x->index = socket->index;
	c = build_append(&b, &service->service.commands[COMMAND_START], sizeof(*c));
	c->path = build_str(&b, "/bin/true");
	build_append_word(&b, &c->argv, "true");
	build_append_word(&b, &service->exec.environment, "A=1");
	f = build_append(&b, &service->exec.environment_files, sizeof(*f));
	f->path = build_str(&b, "/etc/x");
	k = build_append(&b, &service->conditions, sizeof(*k));
	k->text = build_str(&b, "/etc");
	build_append_word(&b, &service->exec.directories[DIRECTORY_LOGS].paths, "x");
	service->exec.has_user = true;
	service->exec.uid = service->exec.gid = 1000;
	*(uint32_t *)build_alloc(&b, sizeof(uint32_t), &r) = 1001;
	service->exec.groups = r;
	service->exec.n_groups = 1;
	copy = malloc(b.plan->bytes);
	assert_non_null(copy);
	memcpy(copy, b.plan, b.plan->bytes);
	build_done(&b);
	return copy;
}

/* What a reference points at, to be spoilt. */
static void *
place_of(struct plan *p, struct ref r)
{
	return (char *)p + r.off;
}

static struct plan_unit *
service_of(struct plan *p)
{
	return place_of(p, p->units[1]);
}

static void
a_good_plan_passes(void **state)
{
	struct plan *p = make_plan();
	struct why why = { "" };

	(void)state;
	if (plan_verify(p, ALLOW_NOTHING, &why) != 0)
		fail_msg("%s", why.text);
	free(p);
}

/* Follows whatever a verified plan lets one follow; the sanitizer build watches. */
static size_t
walk(const struct plan *p)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = plan_unit(p, i);

		n += strlen(plan_str(p, u->id));
		PLAN_FOREACH (p, u->socket.listens, struct plan_listen, l)
			n += strlen(plan_str(p, l->text));
		for (uint32_t s = 0; s < COMMAND_SLOT_END; s++)
			PLAN_FOREACH (p, u->service.commands[s], struct plan_command, c)
				PLAN_FOREACH (p, c->argv, struct plan_word, w)
					n += strlen(plan_str(p, w->text));
	}
	return n;
}

static void
no_changed_word_leads_out(void **state)
{
	static const uint32_t values[] = { 1, 4, 8, 0x7fffffff, 0xfffffff8, 0xffffffff };
	struct plan *p = make_plan();
	const size_t words = p->bytes / sizeof(uint32_t);
	uint32_t *w = (uint32_t *)p;
	size_t refused = 0;

	(void)state;
	/* The head's own numbers are plan_map()'s business; the empty parts of the tables are not
	 * read. */
	for (size_t i = offsetof(struct plan, units) / sizeof(uint32_t); i < words; i++) {
		for (size_t k = 0; k < ELEMENTSOF(values); k++) {
			const uint32_t old = w[i];

			if (i > 8 && i < offsetof(struct plan, listens) / sizeof(uint32_t) &&
			    old == 0)
				break;
			w[i] = values[k];
			if (plan_verify(p, ALLOW_ROOT, NULL) == 0)
				(void)walk(p);
			else
				refused++;
			w[i] = old;
		}
	}
	assert_true(refused > 200);
	assert_int_equal(plan_verify(p, ALLOW_NOTHING, NULL), 0);
	free(p);
}

static void
circles_are_refused(void **state)
{
	struct plan *p = make_plan();
	struct plan_unit *u = service_of(p);
	struct plan_word *w = place_of(p, u->exec.environment.head);

	(void)state;
	w->next = u->exec.environment.head;
	assert_int_equal(plan_verify(p, ALLOW_ROOT, NULL), -EBADMSG);
	free(p);
}

static void
root_is_found_out_however_it_is_asked_for(void **state)
{
	static const char *const labels[] = { "no user", "uid 0", "gid 0", "group 0", "+", "!" };

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(labels); i++) {
		struct plan *p = make_plan();
		struct plan_unit *u = service_of(p);
		struct plan_command *c = place_of(p, u->service.commands[COMMAND_START].head);

		if (i == 0)
			u->exec.has_user = false;
		else if (i == 1)
			u->exec.uid = 0;
		else if (i == 2)
			u->exec.gid = 0;
		else if (i == 3)
			*(uint32_t *)place_of(p, u->exec.groups) = 0;
		else
			c->flags = i == 4 ? COMMAND_FULL_PRIVILEGE : COMMAND_NO_SETUID;
		if (plan_verify(p, ALLOW_NOTHING, NULL) != -EPERM)
			fail_msg("%s passed", labels[i]);
		assert_int_equal(plan_verify(p, ALLOW_ROOT, NULL), 0);
		free(p);
	}
}

static void
capabilities_are_allowed_apart_from_root(void **state)
{
	struct plan *p = make_plan();

	(void)state;
	service_of(p)->exec.cap_ambient = 1;
	assert_int_equal(plan_verify(p, ALLOW_NOTHING, NULL), -EPERM);
	assert_int_equal(plan_verify(p, ALLOW_CAPABILITIES, NULL), 0);
	service_of(p)->exec.uid = 0;
	assert_int_equal(plan_verify(p, ALLOW_CAPABILITIES, NULL), -EPERM);
	assert_int_equal(plan_verify(p, ALLOW_ROOT, NULL), 0);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_plan_passes),
		cmocka_unit_test(no_changed_word_leads_out),
		cmocka_unit_test(circles_are_refused),
		cmocka_unit_test(root_is_found_out_however_it_is_asked_for),
		cmocka_unit_test(capabilities_are_allowed_apart_from_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
