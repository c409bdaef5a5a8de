/*
 * test_path.c - launcher/load/path.h: aliases, templates, masks, and drop-ins in systemd's order.
 */
#include "tests/unit/units.h"

#include "launcher/load/path.h"

/* Finds a unit in two folders, "hi" before "lo"; the drop-ins as one text. */
static int
find(const struct units *u, const char *id, struct unit_files *f, char drops[1024])
{
	char hi[128], lo[128];
	const char *const dirs[] = { hi, lo };
	const struct search search = { NULL, dirs, 2 };
	struct unit_name name;
	struct buf b;
	struct why why;
	int r;

	(void)snprintf(hi, sizeof(hi), "%s/hi", u->dir);
	(void)snprintf(lo, sizeof(lo), "%s/lo", u->dir);
	assert_int_equal(unit_name_parse(id, &name), 0);
	*f = (struct unit_files){ .fd = -EBADF };
	r = unit_files_find(&search, &name, f, &why);
	buf_init(&b, drops, 1024);
	for (size_t k = 0; k < UNIT_BESIDE_END; k++)
		for (size_t i = 0; i < f->beside[k].n; i++)
			(void)buf_printf(&b, "%s ", f->beside[k].paths[i] + strlen(u->dir) + 1);
	return r;
}

static void
link_to(const struct units *u, const char *name, const char *target)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", u->dir, name);
	assert_int_equal(symlink(target, path), 0);
}

static void
first_folder_wins(void **state)
{
	struct units u;
	struct unit_files f;
	char drops[1024];

	(void)state;
	units_init(&u);
	units_write(&u, "hi/x.service", "[Unit]\n");
	units_write(&u, "lo/x.service", "[Unit]\n");
	units_write(&u, "lo/y.service", "[Unit]\n");
	assert_int_equal(find(&u, "x.service", &f, drops), UNIT_FILES_OK);
	assert_non_null(strstr(f.path, "/hi/"));
	unit_files_done(&f);
	assert_int_equal(find(&u, "y.service", &f, drops), UNIT_FILES_OK);
	assert_non_null(strstr(f.path, "/lo/"));
	unit_files_done(&f);
	assert_int_equal(find(&u, "sallyport-z.service", &f, drops), -ENOENT);
	units_done(&u);
}

static void
dropins_come_in_systemds_order(void **state)
{
	struct units u;
	struct unit_files f;
	char drops[1024];

	(void)state;
	units_init(&u);
	units_write(&u, "lo/a-b@.service", "[Unit]\n");
	units_write(&u, "lo/a-b@i.service.d/50-instance.conf", "");
	units_write(&u, "lo/a-b@.service.d/40-template.conf", "");
	units_write(&u, "lo/a-@.service.d/30-prefix.conf", "");
	units_write(&u, "lo/service.d/20-type.conf", "");
	units_write(&u, "hi/service.d/10-type.conf", "");
	units_write(&u, "hi/service.d/not-a-dropin", "");
	/* one name in several folders: the most specific of the first folder that has it */
	units_write(&u, "lo/a-b@i.service.d/60-same.conf", "");
	units_write(&u, "hi/a-@.service.d/60-same.conf", "");
	units_write(&u, "hi/service.d/60-same.conf", "");
	assert_int_equal(find(&u, "a-b@i.service", &f, drops), UNIT_FILES_OK);
	assert_string_equal(drops,
	    "hi/service.d/10-type.conf lo/service.d/20-type.conf lo/a-@.service.d/30-prefix.conf "
	    "lo/a-b@.service.d/40-template.conf lo/a-b@i.service.d/50-instance.conf "
	    "hi/a-@.service.d/60-same.conf ");
	unit_files_done(&f);
	units_done(&u);
}

static void
alias_leads_to_the_unit_and_its_dropins(void **state)
{
	struct units u;
	struct unit_files f;
	char drops[1024];

	(void)state;
	units_init(&u);
	units_write(&u, "hi/real.service", "[Unit]\n");
	units_write(&u, "lo/real.service", "[Unit]\n");
	units_write(&u, "hi/nick.service.d/2.conf", "");
	units_write(&u, "hi/real.service.d/1.conf", "");
	link_to(&u, "lo/nick.service", "real.service");
	assert_int_equal(find(&u, "nick.service", &f, drops), UNIT_FILES_OK);
	assert_string_equal(f.name.id, "real.service");
	assert_int_equal(f.n_aliases, 1);
	assert_string_equal(f.aliases[0].id, "nick.service");
	assert_non_null(strstr(f.path, "/hi/real.service")); /* not what the link shows */
	assert_string_equal(drops, "hi/real.service.d/1.conf hi/nick.service.d/2.conf ");
	unit_files_done(&f);
	units_done(&u);
}

static void
links_beside_a_unit_name_what_it_needs(void **state)
{
	struct units u;
	struct unit_files f;
	char drops[1024];

	(void)state;
	units_init(&u);
	units_write(&u, "hi/x.service", "[Unit]\n");
	units_write(&u, "hi/x.service.wants/w.service", "");
	units_write(&u, "hi/x.service.wants/README", "");
	units_write(&u, "lo/x.service.requires/r.socket", "");
	assert_int_equal(find(&u, "x.service", &f, drops), UNIT_FILES_OK);
	assert_string_equal(drops, "hi/x.service.wants/w.service lo/x.service.requires/r.socket ");
	unit_files_done(&f);
	units_done(&u);
}

static void
link_to_a_file_elsewhere_keeps_its_name(void **state)
{
	struct units u;
	struct unit_files f;
	char drops[1024];

	(void)state;
	units_init(&u);
	units_write(&u, "hi/z.service", "[Unit]\n");
	units_write(&u, "opt/other.service", "[Unit]\n");
	link_to(&u, "hi/x.service", "../opt/other.service");
	assert_int_equal(find(&u, "x.service", &f, drops), UNIT_FILES_OK);
	assert_string_equal(f.name.id, "x.service");
	unit_files_done(&f);
	units_done(&u);
}

static void
masks_and_loops(void **state)
{
	struct units u;
	struct unit_files f;
	char drops[1024];

	(void)state;
	units_init(&u);
	units_write(&u, "lo/x.service", "[Unit]\n");
	units_write(&u, "hi/empty.service", "");
	link_to(&u, "hi/x.service", "/dev/null");
	link_to(&u, "hi/a.service", "b.service");
	link_to(&u, "hi/b.service", "a.service");
	assert_int_equal(find(&u, "x.service", &f, drops), UNIT_FILES_MASKED);
	unit_files_done(&f);
	assert_int_equal(find(&u, "empty.service", &f, drops), UNIT_FILES_MASKED);
	unit_files_done(&f);
	assert_int_equal(find(&u, "a.service", &f, drops), -ELOOP);
	units_done(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_folder_wins),
		cmocka_unit_test(dropins_come_in_systemds_order),
		cmocka_unit_test(alias_leads_to_the_unit_and_its_dropins),
		cmocka_unit_test(links_beside_a_unit_name_what_it_needs),
		cmocka_unit_test(link_to_a_file_elsewhere_keeps_its_name),
		cmocka_unit_test(masks_and_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
