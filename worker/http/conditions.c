/*
 * conditions.c - see conditions.h.
 */
#include "worker/http/conditions.h"

#include "worker/http/field.h"
#include "worker/http/httpdate.h"

static bool
tag_is_weak(struct span tag)
{
	return tag.len > 2 && tag.ptr[0] == 'W' && tag.ptr[1] == '/';
}

static bool
tag_equal(struct span tag, struct span etag)
{
	return tag.len == etag.len && memcmp(tag.ptr, etag.ptr, tag.len) == 0;
}

/* True if a list field holds etag, or is "*". @weak: "W/" does not matter (If-None-Match). */
static bool
tag_listed(const struct request *r, enum field f, struct span etag, bool weak)
{
	struct span line, tag;
	size_t pos = 0;

	while (request_next(r, f, &pos, &line)) {
		while (span_word(&line, &tag)) {
			if (tag.len == 1 && tag.ptr[0] == '*')
				return true;
			if (weak && tag_is_weak(tag))
				tag = (struct span){ tag.ptr + 2, tag.len - 2 };
			if (tag_equal(tag, etag))
				return true;
		}
	}
	return false;
}

/* A date field. Return: false when it is not there or no date, and so to be ignored. */
static bool
date_of(const struct request *r, enum field f, int64_t now, int64_t *ret)
{
	return request_has(r, f) && httpdate_parse(request_field(r, f), now, ret) == 0;
}

enum condition
conditions_check(const struct request *r, const struct validators *v, int64_t now)
{
	int64_t date;

	if (request_has(r, FIELD_IF_MATCH)) {
		if (!tag_listed(r, FIELD_IF_MATCH, v->etag, false))
			return CONDITION_FAILED;
	} else if (date_of(r, FIELD_IF_UNMODIFIED_SINCE, now, &date)) {
		if (v->mtime > date)
			return CONDITION_FAILED;
	}
	if (request_has(r, FIELD_IF_NONE_MATCH)) {
		if (tag_listed(r, FIELD_IF_NONE_MATCH, v->etag, true))
			return CONDITION_NOT_MODIFIED;
	} else if (date_of(r, FIELD_IF_MODIFIED_SINCE, now, &date)) {
		if (v->mtime <= date)
			return CONDITION_NOT_MODIFIED;
	}
	return CONDITION_GO;
}

bool
conditions_range(const struct request *r, const struct validators *v, int64_t now)
{
	const struct span value = request_field(r, FIELD_IF_RANGE);
	int64_t date;

	if (!request_has(r, FIELD_IF_RANGE))
		return true;
	if (value.len > 0 && (value.ptr[0] == '"' || tag_is_weak(value)))
		return tag_equal(value, v->etag);
	if (httpdate_parse(value, now, &date) < 0)
		return false;
	/* A date is a strong validator only when the file was quiet for a second (8.8.2.2). */
	return date == v->mtime && now > v->mtime;
}
