/*
 * value.c - see value.h.
 */
#include "launcher/load/value.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/num.h"

#define BLANKS " \t\r\n"
#define DIGITS "0123456789"

struct unit_of {
	const char *name;
	uint64_t factor;
};

static const struct unit_of time_units[] = {
	{ "seconds", USEC_PER_SEC }, { "second", USEC_PER_SEC }, { "sec", USEC_PER_SEC },
	{ "s", USEC_PER_SEC }, { "minutes", 60 * USEC_PER_SEC }, { "minute", 60 * USEC_PER_SEC },
	{ "min", 60 * USEC_PER_SEC }, { "months", 2629800 * USEC_PER_SEC },
	{ "month", 2629800 * USEC_PER_SEC }, { "M", 2629800 * USEC_PER_SEC }, { "msec", 1000 },
	{ "ms", 1000 }, { "m", 60 * USEC_PER_SEC }, { "hours", 3600 * USEC_PER_SEC },
	{ "hour", 3600 * USEC_PER_SEC }, { "hr", 3600 * USEC_PER_SEC },
	{ "h", 3600 * USEC_PER_SEC }, { "days", 86400 * USEC_PER_SEC },
	{ "day", 86400 * USEC_PER_SEC }, { "d", 86400 * USEC_PER_SEC },
	{ "weeks", 604800 * USEC_PER_SEC }, { "week", 604800 * USEC_PER_SEC },
	{ "w", 604800 * USEC_PER_SEC }, { "years", 31557600 * USEC_PER_SEC },
	{ "year", 31557600 * USEC_PER_SEC }, { "y", 31557600 * USEC_PER_SEC }, { "usec", 1 },
	{ "us", 1 }, { "\xc2\xb5s", 1 }, { "\xce\xbcs", 1 }, /* both micro signs of Unicode */
};

static const struct unit_of size_units[] = { { "B", 1 }, { "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 }, { "G", UINT64_C(1) << 30 }, { "T", UINT64_C(1) << 40 },
	{ "P", UINT64_C(1) << 50 }, { "E", UINT64_C(1) << 60 } };

int
value_bool(const char *text, bool *ret)
{
	static const char *const words[][6] = { { "0", "no", "n", "false", "f", "off" },
		{ "1", "yes", "y", "true", "t", "on" } };

	for (size_t v = 0; v < 2; v++)
		for (size_t i = 0; i < ELEMENTSOF(words[v]); i++)
			if (strcasecmp(text, words[v][i]) == 0) {
				*ret = v == 1;
				return 0;
			}
	return -EINVAL;
}

int
value_mode(const char *text, mode_t *ret)
{
	uint64_t v;
	const int r = num_parse(span_of(text), 8, 0, 07777, &v);

	if (r < 0)
		return r;
	*ret = (mode_t)v;
	return 0;
}

/*
 * One "number[.fraction][unit]" at *p, which is moved past it.
 * A word that is no unit is an error; no unit at all takes the given factor.
 */
static int
quantity_next(
    const char **p, const struct unit_of *units, size_t n_units, uint64_t factor, uint64_t *ret)
{
	const char *s = *p, *fraction = NULL;
	const size_t whole = strspn(s, DIGITS);
	size_t n_fraction = 0, word;
	uint64_t v = 0, tenth = 1;
	int r = whole > 0 ? num_parse((struct span){ s, whole }, 10, 0, UINT64_MAX, &v) : 0;

	if (r < 0)
		return r;
	s += whole;
	if (*s == '.') {
		fraction = ++s;
		n_fraction = strspn(s, DIGITS);
		s += n_fraction;
	}
	if (fraction ? n_fraction == 0 : whole == 0)
		return -EINVAL;
	s += strspn(s, BLANKS);
	word = strcspn(s, BLANKS DIGITS ".");
	for (size_t i = 0; word > 0; i++) {
		if (i == n_units)
			return -EINVAL;
		if (span_equal((struct span){ s, word }, units[i].name)) {
			factor = units[i].factor;
			break;
		}
	}
	if (v > (UINT64_MAX - 1) / factor)
		return -ERANGE;
	v *= factor;
	for (size_t i = 0; i < n_fraction && tenth <= UINT64_MAX / 10; i++) {
		uint64_t part; /* a factor is at most 2^60, so nine times it fits */

		tenth *= 10;
		part = (uint64_t)(fraction[i] - '0') * factor / tenth;
		if (part > UINT64_MAX - 1 - v)
			return -ERANGE;
		v += part;
	}
	*p = s + word + strspn(s + word, BLANKS);
	*ret = v;
	return 0;
}

int
value_usec(const char *text, uint64_t *ret)
{
	uint64_t sum = 0;

	if (strcmp(text, "infinity") == 0) {
		*ret = USEC_INFINITY;
		return 0;
	}
	do {
		uint64_t v;
		const int r =
		    quantity_next(&text, time_units, ELEMENTSOF(time_units), USEC_PER_SEC, &v);

		if (r < 0)
			return r;
		if (v > USEC_INFINITY - 1 - sum)
			return -ERANGE;
		sum += v;
	} while (*text);
	*ret = sum;
	return 0;
}

int
value_size(const char *text, uint64_t *ret)
{
	uint64_t v;
	const int r = quantity_next(&text, size_units, ELEMENTSOF(size_units), 1, &v);

	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret = v;
	return 0;
}

bool
value_is_env_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return len > 0;
}

bool
value_path(struct buf *path)
{
	char *text = path->data, *out = text;

	if (path->len == 0 || text[0] != '/' || path->len >= PATH_MAX)
		return false;
	for (const char *p = text; *p;) {
		const char *part = p + strspn(p, "/");
		const size_t len = strcspn(part, "/");

		p = part + len;
		if (len == 2 && part[0] == '.' && part[1] == '.')
			return false;
		if (len == 0 || (len == 1 && part[0] == '.'))
			continue;
		*out++ = '/';
		memmove(out, part, len); /* never ahead of what is read: each part had its "/" */
		out += len;
	}
	if (out == text)
		*out++ = '/';
	*out = '\0';
	path->len = (size_t)(out - text);
	return true;
}

int
value_signal(const char *text)
{
	const char *name = str_starts(text, "SIG") ? text + 3 : text;
	uint64_t n;

	if (num_parse_str(text, 1, (uint64_t)SIGRTMAX, &n) == 0)
		return (int)n;
	if (str_starts(name, "RTMIN+") &&
	    num_parse_str(name + 6, 0, (uint64_t)(SIGRTMAX - SIGRTMIN), &n) == 0)
		return SIGRTMIN + (int)n;
	for (int signal = 1; signal < SIGRTMIN; signal++) {
		const char *known = sigabbrev_np(signal);

		if (known && strcmp(known, name) == 0)
			return signal;
	}
	return -EINVAL;
}
