/*
 * ranges.c - see ranges.h.
 */
#include "worker/http/ranges.h"

#include "common/num.h"
#include "worker/http/field.h"

/* One "first-last", "first-" or "-suffix". Return: 1; 0 unsatisfiable; -EINVAL malformed. */
static int
range_parse(struct span spec, uint64_t size, struct range *ret)
{
	const char *dash = memchr(spec.ptr, '-', spec.len);
	struct span a, b;
	uint64_t first = 0, last = UINT64_MAX;

	if (!dash)
		return -EINVAL;
	a = (struct span){ spec.ptr, (size_t)(dash - spec.ptr) };
	b = (struct span){ dash + 1, spec.len - a.len - 1 };
	if (a.len == 0) {
		uint64_t suffix;

		if (num_parse(b, 10, 0, INT64_MAX, &suffix) < 0)
			return -EINVAL;
		if (suffix == 0 || size == 0)
			return 0;
		*ret = (struct range){ suffix < size ? size - suffix : 0,
			suffix < size ? suffix : size };
		return 1;
	}
	if (num_parse(a, 10, 0, INT64_MAX, &first) < 0)
		return -EINVAL;
	if (b.len > 0 && (num_parse(b, 10, 0, INT64_MAX, &last) < 0 || last < first))
		return -EINVAL;
	if (first >= size)
		return 0;
	if (last >= size)
		last = size - 1;
	*ret = (struct range){ first, last - first + 1 };
	return 1;
}

static int
range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static bool
ranges_overlap(const struct range *list, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++)
			if (list[i].first <= list[j].first + list[j].len &&
			    list[j].first <= list[i].first + list[i].len)
				return true;
	return false;
}

static int
ranges_merge(struct range *list, int n)
{
	int k = 0;

	qsort(list, (size_t)n, sizeof(*list), range_compare);
	for (int i = 1; i < n; i++) {
		const uint64_t end = list[k].first + list[k].len;
		const uint64_t this_end = list[i].first + list[i].len;

		if (list[i].first <= end)
			list[k].len = (this_end > end ? this_end : end) - list[k].first;
		else
			list[++k] = list[i];
	}
	return k + 1;
}

int
ranges_parse(struct span value, uint64_t size, struct range ret[RANGES_MAX])
{
	struct span rest, spec;
	int n = 0, seen = 0;

	if (value.len < 6 || !span_same((struct span){ value.ptr, 6 }, "bytes="))
		return RANGES_IGNORE;
	rest = (struct span){ value.ptr + 6, value.len - 6 };
	while (span_word(&rest, &spec)) {
		struct range one;
		const int r = range_parse(spec, size, &one);

		if (r < 0 || ++seen > RANGES_MAX)
			return RANGES_IGNORE;
		if (r > 0)
			ret[n++] = one;
	}
	if (seen == 0)
		return RANGES_IGNORE;
	if (n == 0)
		return RANGES_NONE;
	return ranges_overlap(ret, n) ? ranges_merge(ret, n) : n;
}
