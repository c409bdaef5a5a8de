/*
 * wire.c - see wire.h.
 */
#include "worker/http/wire.h"

#include "worker/http/field.h"
#include "worker/http/put.h"

void
dateline_set(struct dateline *d, int64_t second)
{
	char *p = d->text;

	if (d->second == second && d->text[0])
		return;
	d->second = second;
	p = PUT(p, "Date: ");
	httpdate_format(second, p);
	p = PUT(p + HTTPDATE_BYTES, "\r\n" SERVER_LINE);
	*p = '\0';
}

size_t
wire_head(const struct answer *a, unsigned minor, bool close, const struct dateline *date,
    char *dst, size_t body)
{
	const struct span status = status_line(a->status);
	char *p = put_bytes(dst, status.ptr, status.len);

	if (a->no_server)
		p = put_bytes(p, date->text, DATELINE_BYTES);
	else
		p = put_bytes(p, date->text, DATELINE_BYTES + sizeof(SERVER_LINE) - 1);
	if (a->fields.len > 0)
		p = put_bytes(p, a->fields.data, a->fields.len);
	if (close)
		p = PUT(p, "Connection: close\r\n");
	else if (minor == 0)
		p = PUT(p, "Connection: keep-alive\r\n");
	p = put_bytes(p, a->block.ptr, a->block.len + a->block_end + body);
	if (a->block_end > 0)
		return (size_t)(p - dst);
	if (!a->no_length) {
		p = PUT(p, "Content-Length: ");
		p = put_base(p, a->length, 10);
		p = PUT(p, "\r\n");
	}
	p = PUT(p, "\r\n");
	return (size_t)(p - dst);
}
