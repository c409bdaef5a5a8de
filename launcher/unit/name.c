/*
 * name.c - see name.h.
 */
#include "launcher/unit/name.h"

#include "common/num.h"

/* The types of systemd; only the first two are ever loaded here. */
static const char *const types[] = { "socket", "service", "target", "mount", "automount", "swap",
	"device", "timer", "path", "slice", "scope" };

_Static_assert(UNIT_SOCKET == 0 && UNIT_SERVICE == 1, "the order of types[]");

static bool
name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr(":-_.\\@", c));
}

int
unit_name_parse(const char *text, struct unit_name *ret)
{
	struct unit_name n = { .kind = UNIT_KIND_END };
	const char *dot = strrchr(text, '.'), *at = strchr(text, '@');
	size_t type;

	if (!dot || dot == text || at == text || str_copy(n.id, sizeof(n.id), text) < 0)
		return -EINVAL;
	for (const char *p = text; p < dot; p++)
		if (!name_char(*p))
			return -EINVAL;
	for (type = 0; type < ELEMENTSOF(types); type++)
		if (strcmp(dot + 1, types[type]) == 0)
			break;
	if (type == ELEMENTSOF(types))
		return -EINVAL;
	if (type < UNIT_KIND_END)
		n.kind = (enum unit_kind)type;
	n.pos.dot = (unsigned short)(dot - text);
	n.pos.at = at && at < dot ? (unsigned short)(at - text) : 0;
	*ret = n;
	return 0;
}

struct span
unit_name_prefix(const struct unit_name *n)
{
	return (struct span){ n->id, n->pos.at ? n->pos.at : n->pos.dot };
}

struct span
unit_name_instance(const struct unit_name *n)
{
	if (!n->pos.at)
		return (struct span){ n->id + n->pos.dot, 0 };
	return (struct span){ n->id + n->pos.at + 1, n->pos.dot - n->pos.at - 1u };
}

struct span
unit_name_stem(const struct unit_name *n)
{
	return (struct span){ n->id, n->pos.dot };
}

const char *
unit_name_type(const struct unit_name *n)
{
	return n->id + n->pos.dot + 1;
}

int
unit_name_make(struct span prefix, struct span instance, const char *type, struct unit_name *ret)
{
	char storage[UNIT_NAME_MAX];
	struct buf b;

	buf_init(&b, storage, sizeof(storage));
	(void)buf_put(&b, prefix.ptr, prefix.len);
	if (instance.ptr) {
		(void)buf_putc(&b, '@');
		(void)buf_put(&b, instance.ptr, instance.len);
	}
	(void)buf_printf(&b, ".%s", type);
	return b.failed ? -EINVAL : unit_name_parse(storage, ret);
}

void
unit_name_unescape(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		uint64_t c;

		if (text.ptr[i] == '-') {
			(void)buf_putc(out, '/');
		} else if (text.len - i >= 4 && text.ptr[i] == '\\' && text.ptr[i + 1] == 'x' &&
			   num_parse((struct span){ text.ptr + i + 2, 2 }, 16, 1, 255, &c) == 0) {
			(void)buf_putc(out, (char)c);
			i += 3;
		} else {
			(void)buf_putc(out, text.ptr[i]);
		}
	}
}
