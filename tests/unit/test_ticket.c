/*
 * test_ticket.c - worker/tls/ticket.h: keys that change with the clock, alike in every process.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "worker/tls/ticket.h"

#define EPOCH 100

static struct tickets *
make(void)
{
	struct tickets *t = NULL;
	struct why why;

	assert_int_equal(tickets_new(EPOCH, &t, &why), 0);
	return t;
}

static uint64_t
next_epoch(const struct tickets *t, unsigned n)
{
	return (tickets_current(t)->epoch - 1 + n) * EPOCH;
}

static void
a_key_is_known_for_one_epoch_more_and_then_never_again(void **state)
{
	struct tickets *t = make();
	const uint64_t start = next_epoch(t, 0);
	struct ticket_key first;

	(void)state;
	first = *tickets_current(t);
	tickets_turn(t, start + EPOCH - 1);
	assert_memory_equal(tickets_current(t), &first, sizeof(first));
	tickets_turn(t, start + EPOCH);
	assert_memory_not_equal(tickets_current(t)->aes, first.aes, sizeof(first.aes));
	assert_non_null(tickets_find(t, first.name));
	assert_memory_equal(tickets_find(t, first.name)->mac, first.mac, sizeof(first.mac));
	tickets_turn(t, start + 2 * EPOCH);
	assert_null(tickets_find(t, first.name));
	tickets_turn(t, start); /* the clock goes back: nothing returns */
	assert_null(tickets_find(t, first.name));
	tickets_free(t);
}

static void
what_is_next_now_is_current_then(void **state)
{
	struct tickets *t = make();
	struct ticket_key current[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		current[i] = *tickets_current(t);
		tickets_turn(t, next_epoch(t, 1));
		assert_non_null(tickets_find(t, current[i].name));
	}
	assert_memory_not_equal(current[0].name, current[1].name, sizeof(current[0].name));
	assert_memory_not_equal(current[1].name, current[2].name, sizeof(current[1].name));
	tickets_free(t);
}

static void
processes_agree_even_if_one_slept_for_epochs(void **state)
{
	struct tickets *t = make();
	const uint64_t later = next_epoch(t, 5);
	struct ticket_key theirs;
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) { /* turns every epoch; the parent only once */
		for (unsigned i = 0; i < 5; i++)
			tickets_turn(t, next_epoch(t, 1));
		_exit(write(fds[1], tickets_current(t), sizeof(theirs)) == sizeof(theirs) ? 0 : 1);
	}
	assert_int_equal(read(fds[0], &theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	tickets_turn(t, later);
	assert_memory_equal(tickets_current(t), &theirs, sizeof(theirs));
	(void)close(fds[0]);
	(void)close(fds[1]);
	tickets_free(t);
}

static void
a_credential_makes_strangers_agree(void **state)
{
	char dir[] = "/tmp/sp-ticket-XXXXXX", path[64], secret[40];
	struct tickets *a = make(), *b = make();
	struct why why = { "" };
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(tickets_share(a, dir, "ticket-key", &why), -ENOENT);
	assert_string_equal(why.text, "");
	(void)snprintf(path, sizeof(path), "%s/ticket-key", dir);
	memset(secret, 'k', sizeof(secret));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, secret, 31), 31);
	assert_int_equal(tickets_share(a, dir, "ticket-key", &why), -EINVAL);
	assert_int_equal(write(fd, secret, sizeof(secret)), sizeof(secret));
	(void)close(fd);
	assert_memory_not_equal(tickets_current(a)->name, tickets_current(b)->name, 16);
	assert_int_equal(tickets_share(a, dir, "ticket-key", &why), 0);
	assert_int_equal(tickets_share(b, dir, "ticket-key", &why), 0);
	tickets_turn(a, next_epoch(a, 3));
	tickets_turn(b, next_epoch(b, 3));
	assert_memory_equal(tickets_current(a), tickets_current(b), sizeof(struct ticket_key));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	tickets_free(a);
	tickets_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_known_for_one_epoch_more_and_then_never_again),
		cmocka_unit_test(what_is_next_now_is_current_then),
		cmocka_unit_test(processes_agree_even_if_one_slept_for_epochs),
		cmocka_unit_test(a_credential_makes_strangers_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
