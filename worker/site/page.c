/*
 * page.c - see page.h.
 */
#include "worker/site/page.h"

#include "worker/http/field.h"

#define PAGE_MAX 512

static const char page_head[] =
    "<!doctype html>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<style>body{font:1.1em system-ui,sans-serif;margin:20vh auto;max-width:30em;padding:0 1em}"
    "</style>\n<title>";

/* One per status, made at its first use: the process answers one request at a time. */
static char *page_texts[600];

static struct span
page_text(unsigned status)
{
	const struct span text = status_text(status);

	if (!page_texts[status]) {
		struct buf b;

		buf_init_heap(&b, PAGE_MAX);
		(void)buf_puts(&b, page_head);
		(void)buf_printf(&b, "%.*s</title>\n<h1>%.*s</h1>\n", (int)text.len, text.ptr,
		    (int)text.len, text.ptr);
		if (b.failed) {
			buf_done(&b);
			return (struct span){ "", 0 };
		}
		page_texts[status] = b.data; /* kept for the life of the process */
	}
	return span_of(page_texts[status]);
}

void
page_status(struct answer *a, unsigned status)
{
	struct span text;

	a->status = (uint16_t)status;
	if (status < 200 || status == 204 || status == 304) {
		a->no_length = true;
		return;
	}
	text = page_text(status);
	a->block = span_of("Content-Type: text/html; charset=utf-8\r\n");
	a->one = (struct stretch){ text.ptr, 0, text.len };
	a->n_body = 1;
	a->length = text.len;
}

void
page_redirect(struct answer *a, unsigned status, struct span location)
{
	answer_field(a, "Location", location);
	page_status(a, status);
}

static void
release_page(void *owner)
{
	file_unref(owner);
}

void
page_replace(struct answer *a, struct file *take_f)
{
	answer_done(a);
	a->owner = take_f;
	a->release = release_page;
	a->fd = take_f->fd;
	/* Not the validators: they are the page's, not those of what was asked for. */
	a->block = (struct span){ take_f->block.ptr + take_f->validators_len,
		take_f->block.len - take_f->validators_len };
	a->body = &a->one;
	a->one = (struct stretch){ take_f->body, 0, take_f->size };
	a->n_body = 1;
	a->length = take_f->size;
}
