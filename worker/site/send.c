/*
 * send.c - see send.h.
 */
#include "worker/site/send.h"

#include "worker/http/conditions.h"
#include "worker/http/put.h"
#include "worker/http/ranges.h"
#include "worker/site/page.h"

#define PART_HEAD_MAX 256
#define BOUNDARY_BYTES 32

static void
release_file(void *owner)
{
	file_unref(owner);
}

static struct stretch
file_stretch(const struct file *f, uint64_t off, uint64_t len)
{
	return (struct stretch){ f->body, off, len };
}

#define RANGE_TEXT_MAX (sizeof("bytes -/") + 3 * (size_t)PUT_NUMBER_MAX)

/* "bytes 0-499/1234", as Content-Range has it. Return: the place behind it. */
static char *
put_range(char *p, const struct file *f, const struct range *range)
{
	p = PUT(p, "bytes ");
	p = put_base(p, range->first, 10);
	p = PUT(p, "-");
	p = put_base(p, range->first + range->len - 1, 10);
	p = PUT(p, "/");
	return put_base(p, f->size, 10);
}

/* 416 says how long the representation is (RFC 9110 section 15.5.17). */
static void
send_unsatisfiable(const struct file *f, struct answer *a)
{
	char text[sizeof("bytes */") + PUT_NUMBER_MAX];
	char *p = PUT(text, "bytes */");

	p = put_base(p, f->size, 10);
	answer_field(a, "Content-Range", (struct span){ text, (size_t)(p - text) });
	answer_field(a, "Accept-Ranges", span_of("bytes"));
	page_status(a, 416);
}

static void
send_one_range(const struct file *f, const struct range *range, struct answer *a)
{
	char text[RANGE_TEXT_MAX];
	const size_t n = (size_t)(put_range(text, f, range) - text);

	a->status = 206;
	answer_field(a, "Content-Range", (struct span){ text, n });
	a->length = range->len;
	a->one = file_stretch(f, range->first, range->len);
	a->n_body = 1;
}

/* A boundary that the content cannot be made to hold beforehand: 128 random bits. */
static int
boundary_make(char dst[BOUNDARY_BYTES + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t random[BOUNDARY_BYTES / 2];

	if (getentropy(random, sizeof(random)) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(random); i++) {
		dst[2 * i] = digits[random[i] >> 4];
		dst[2 * i + 1] = digits[random[i] & 15];
	}
	dst[BOUNDARY_BYTES] = '\0';
	return 0;
}

/*
 * multipart/byteranges: one allocation holds the stretches and, behind them, the text of the
 * part heads. Content-Type in the block is that of the parts, so the block is cut before it.
 */
static int
send_ranges(const struct file *f, const struct range *list, int n, struct answer *a)
{
	const size_t n_stretches = 2 * (size_t)n + 1;
	const size_t text_max = (size_t)(n + 1) * PART_HEAD_MAX;
	struct stretch *s = malloc(n_stretches * sizeof(*s) + text_max);
	char boundary[BOUNDARY_BYTES + 1], type[96], range[RANGE_TEXT_MAX];
	struct buf text;
	size_t k = 0;

	if (!s)
		return -ENOMEM;
	if (boundary_make(boundary) < 0) {
		free(s);
		return -EIO;
	}
	a->many = s;
	a->body = s;
	buf_init(&text, (char *)(s + n_stretches), text_max);
	for (int i = 0; i < n; i++) {
		const size_t at = text.len;

		*put_range(range, f, &list[i]) = '\0';
		(void)buf_printf(&text,
		    "\r\n--%s\r\nContent-Type: %.100s\r\nContent-Range: %s\r\n\r\n", boundary,
		    f->type, range);
		s[k++] = (struct stretch){ text.data + at, 0, text.len - at };
		s[k++] = file_stretch(f, list[i].first, list[i].len);
	}
	s[k++] = (struct stretch){ text.data + text.len, 0, BOUNDARY_BYTES + 8 };
	(void)buf_printf(&text, "\r\n--%s--\r\n", boundary);
	a->n_body = (unsigned)k;
	for (size_t i = 0; i < k; i++)
		a->length += s[i].len;
	(void)snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
	a->status = 206;
	a->block.len = f->validators_len;
	answer_field(a, "Content-Type", span_of(type));
	answer_field(a, "Accept-Ranges", span_of("bytes"));
	return 0;
}

void
send_file(
    const struct request *r, struct file *take_owner, struct file *f, int64_t now, struct answer *a)
{
	const struct validators v = { f->etag, f->mtime };
	struct range list[RANGES_MAX];
	int n = RANGES_IGNORE;

	a->owner = take_owner;
	a->release = release_file;
	a->block = f->block;
	a->fd = f->fd;
	switch (conditions_check(r, &v, now)) {
	case CONDITION_NOT_MODIFIED:
		a->status = 304;
		a->no_length = true;
		a->block.len = f->validators_len;
		return;
	case CONDITION_FAILED:
		page_status(a, 412);
		return;
	case CONDITION_GO:
		break;
	}
	if (request_has(r, FIELD_RANGE) && r->method == METHOD_GET && conditions_range(r, &v, now))
		n = ranges_parse(request_field(r, FIELD_RANGE), f->size, list);
	if (n == RANGES_NONE) {
		send_unsatisfiable(f, a);
		return;
	}
	if (n == 1) {
		send_one_range(f, &list[0], a);
		return;
	}
	if (n > 1 && send_ranges(f, list, n, a) == 0)
		return;
	a->status = 200;
	a->block_end = f->block_end;
	a->length = f->size;
	a->one = file_stretch(f, 0, f->size);
	a->n_body = 1;
}
