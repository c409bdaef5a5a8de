/*
 * check.c - see check.h.
 */
#include "launcher/ctl/check.h"

#include <getopt.h>
#include <sysexits.h>

#include "common/json.h"
#include "launcher/ctl/effective.h"
#include "launcher/load/load.h"

#define OUTPUT_BYTES_MAX (64u << 20)
#define VALUE_BYTES_MAX (1u << 20)

struct check_options {
	struct load_options load;
	bool json;
};

static void
check_usage(FILE *f)
{
	(void)fputs(
	    "usage: sallyport check [--json] [--unit-path DIR]... [--unenforced DIRECTIVE]...\n"
	    "                       [--allow-root-services] [--allow-capabilities] UNIT...\n",
	    f);
}

void
check_findings(const struct diag *diag, struct buf *out)
{
	for (size_t i = 0; i < diag->n; i++) {
		const struct diag_item *item = &diag->items[i];

		if (item->file && item->line > 0)
			(void)buf_printf(out, "%s:%u: ", item->file, item->line);
		else
			(void)buf_printf(out, "%s: ", item->file ? item->file : item->unit);
		(void)buf_printf(out, "%s", diag_level_name(item->level));
		if (item->directive)
			(void)buf_printf(out, ": %s", item->directive);
		if (item->directive && item->value)
			(void)buf_printf(out, "=%s", item->value);
		if (item->text && item->text[0])
			(void)buf_printf(out, ": %s", item->text);
		(void)buf_putc(out, '\n');
	}
}

void
check_plan(const struct plan *p, struct buf *out)
{
	_cleanup_buf_ struct buf value = { 0 };

	buf_init_heap(&value, VALUE_BYTES_MAX);
	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = plan_unit(p, i);

		(void)buf_printf(out, "\n# %s, %s\n", plan_str(p, u->id),
		    u->kind == UNIT_SERVICE
			? (u->wanted ? "started at once" : "started on demand")
			: (u->wanted ? "opened at start" : "opened at start, started on demand"));
		for (size_t row = 0; row < directive_count; row++)
			for (uint32_t n = 0;
			     effective_value(&directive_table[row], p, u, n, &value); n++)
				(void)buf_printf(
				    out, "%s=%s\n", directive_table[row].name, buf_cstr(&value));
		PLAN_FOREACH (p, u->service.sockets, struct plan_index, s)
			(void)buf_printf(out, "Sockets=%s\n", plan_unit_id(p, s->index));
	}
}

static void
json_findings(struct json *j, const struct diag *diag)
{
	json_open_array(j, "findings");
	for (size_t i = 0; i < diag->n; i++) {
		const struct diag_item *item = &diag->items[i];

		json_open_object(j, NULL);
		json_str(j, "level", diag_level_name(item->level));
		json_str(j, "unit", item->unit);
		json_str(j, "file", item->file);
		json_u64(j, "line", item->line);
		json_str(j, "directive", item->directive);
		json_str(j, "value", item->value);
		json_str(j, "text", item->text);
		json_close(j);
	}
	json_close(j);
}

static void
json_unit(struct json *j, const struct plan *p, const struct plan_unit *u)
{
	_cleanup_buf_ struct buf value = { 0 };

	buf_init_heap(&value, VALUE_BYTES_MAX);
	json_open_object(j, NULL);
	json_str(j, "id", plan_str(p, u->id));
	json_str(j, "path", plan_str(p, u->path));
	json_bool(j, "wanted", u->wanted);
	json_open_array(j, "settings");
	for (size_t row = 0; row < directive_count; row++)
		for (uint32_t n = 0; effective_value(&directive_table[row], p, u, n, &value); n++) {
			json_open_array(j, NULL);
			json_str(j, NULL, directive_table[row].name);
			json_str(j, NULL, buf_cstr(&value));
			json_close(j);
		}
	json_close(j);
	json_open_array(j, "sockets");
	PLAN_FOREACH (p, u->service.sockets, struct plan_index, s)
		json_str(j, NULL, plan_unit_id(p, s->index));
	json_close(j);
	json_close(j);
}

void
check_json(const struct diag *diag, const struct plan *p, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_open_object(&j, NULL);
	json_u64(&j, "version", 1);
	json_bool(&j, "ok", p);
	json_findings(&j, diag);
	json_open_array(&j, "units");
	for (uint32_t i = 0; p && i < p->n_units; i++)
		json_unit(&j, p, plan_unit(p, i));
	json_close(&j);
	json_close(&j);
	(void)buf_putc(out, '\n');
}

/* The words of an option that may be given more than once; argv has room for all of them. */
static bool
check_list_add(const char *const **list, size_t *n, const char *word)
{
	const char **more = reallocarray((void *)(uintptr_t)*list, *n + 1, sizeof(*more));

	if (!more)
		return false;
	more[(*n)++] = word;
	*list = more;
	return true;
}

/* Return: the index of the first UNIT, or -EX_USAGE. */
static int
options_read(int argc, char **argv, struct check_options *o)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "unit-path", required_argument, NULL, 'p' },
		{ "unenforced", required_argument, NULL, 'u' },
		{ "allow-root-services", no_argument, NULL, 'r' },
		{ "allow-capabilities", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool good = true;
	int c;

	optind = 0; /* GNU: begin anew, main() has read options of its own */
	while (good && (c = getopt_long(argc, argv, "h", longs, NULL)) >= 0) {
		switch (c) {
		case 'j':
			o->json = true;
			break;
		case 'p':
			good = check_list_add(&o->load.unit_path, &o->load.n_unit_path, optarg);
			break;
		case 'u':
			good = check_list_add(&o->load.unenforced, &o->load.n_unenforced, optarg);
			break;
		case 'r':
			o->load.allow_root_services = true;
			break;
		case 'c':
			o->load.allow_capabilities = true;
			break;
		case 'h':
			check_usage(stdout);
			exit(EX_OK);
		default:
			good = false;
		}
	}
	return good && optind < argc ? optind : -EX_USAGE;
}

/* Loads, and prints what came of it. */
static int
check_units(const struct check_options *o, const char *const *units, size_t n_units)
{
	_cleanup_buf_ struct buf out = { 0 };
	_cleanup_fd_ int fd = -EBADF;
	const struct plan *p = NULL;
	struct diag diag;
	struct why why;
	int r;

	diag_init(&diag);
	buf_init_heap(&out, OUTPUT_BYTES_MAX);
	r = plan_load(&o->load, units, n_units, &diag, &fd, &why);
	if (r == 0)
		r = plan_map(fd, &p, &why);
	if (o->json) {
		check_json(&diag, p, &out);
	} else {
		check_findings(&diag, &out);
		if (p)
			check_plan(p, &out);
	}
	if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0 || out.failed) {
		r = why_set(&why, -EIO, "output was cut");
	}
	if (r < 0)
		(void)fprintf(stderr, "sallyport check: %s\n", why.text);
	plan_unmap(p);
	diag_done(&diag);
	return r < 0 ? 1 : EX_OK;
}

int
check_main(int argc, char **argv)
{
	struct check_options o = { 0 };
	const int first = options_read(argc, argv, &o);
	int r;

	if (first < 0) {
		check_usage(stderr);
		r = EX_USAGE;
	} else {
		r = check_units(&o, (const char *const *)argv + first, (size_t)(argc - first));
	}
	free((void *)(uintptr_t)o.load.unit_path);
	free((void *)(uintptr_t)o.load.unenforced);
	return r;
}
