/*
 * httpdate.c - see httpdate.h. Civil-date arithmetic on days since 1970-01-01 (proleptic
 * Gregorian), with March as the first month so that the leap day is the last of a year.
 */
#include "worker/http/httpdate.h"

#include "common/num.h"

static const char day_names[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct civil {
	int64_t year;
	int month, day; /* 1..12, 1..31 */
};

static int64_t
civil_days(struct civil c)
{
	const int64_t y = c.month <= 2 ? c.year - 1 : c.year;
	const int64_t era = y / 400, yoe = y % 400;
	const int64_t doy = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct civil
civil_from(int64_t days)
{
	const int64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t mp = (5 * doy + 2) / 153;
	struct civil c = { 0 };

	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = yoe + era * 400 + (c.month <= 2 ? 1 : 0);
	return c;
}

static char *
put_digits(char *dst, int64_t v, int n)
{
	for (int i = n - 1; i >= 0; i--) {
		dst[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return dst + n;
}

static char *
put_text(char *dst, const char *text, size_t n)
{
	memcpy(dst, text, n);
	return dst + n;
}

void
httpdate_format(int64_t seconds, char dst[HTTPDATE_BYTES + 1])
{
	const int64_t limit = INT64_C(253402300799); /* 9999-12-31 23:59:59 */
	const int64_t s = seconds < 0 ? 0 : seconds > limit ? limit : seconds;
	const int64_t days = s / 86400, of_day = s % 86400;
	const struct civil c = civil_from(days);
	char *p = dst;

	p = put_text(p, day_names + 3 * (days % 7), 3);
	p = put_text(p, ", ", 2);
	p = put_digits(p, c.day, 2);
	*p++ = ' ';
	p = put_text(p, month_names + (size_t)3 * (size_t)(c.month - 1), 3);
	*p++ = ' ';
	p = put_digits(p, c.year, 4);
	*p++ = ' ';
	p = put_digits(p, of_day / 3600, 2);
	*p++ = ':';
	p = put_digits(p, of_day / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, of_day % 60, 2);
	p = put_text(p, " GMT", 4);
	*p = '\0';
}

/*
 * Matches text against a pattern: 'w' a day name's letters, 'N' three letters of a month, 'D' a
 * digit of the day (blank allowed first), 'Y' of the year, 'h' 'm' 's' of the time, anything else
 * itself.
 */
struct date_fields {
	int64_t year, hour, minute, second, day;
	int month;
};

static int
month_of(const char *text)
{
	for (int m = 0; m < 12; m++)
		if (memcmp(text, month_names + (size_t)3 * (size_t)m, 3) == 0)
			return m + 1;
	return 0;
}

static int
date_digit(struct date_fields *f, char kind, char c)
{
	int64_t *v;

	switch (kind) {
	case 'Y':
		v = &f->year;
		break;
	case 'h':
		v = &f->hour;
		break;
	case 'm':
		v = &f->minute;
		break;
	case 's':
		v = &f->second;
		break;
	default:
		v = &f->day;
		break;
	}
	if (c < '0' || c > '9')
		return -EINVAL;
	*v = *v * 10 + (c - '0');
	return 0;
}

static int
date_match(struct span text, const char *pattern, struct date_fields *f)
{
	size_t i = 0;

	if (text.len != strlen(pattern))
		return -EINVAL;
	while (i < text.len) {
		const char kind = pattern[i], c = text.ptr[i];

		if (kind == 'N') {
			f->month = month_of(text.ptr + i);
			if (f->month == 0)
				return -EINVAL;
			i += 3;
			continue;
		}
		if (kind == 'w') {
			if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
				return -EINVAL;
		} else if (kind == 'B') { /* first digit of the day, or a blank */
			if (c != ' ' && date_digit(f, 'D', c) < 0)
				return -EINVAL;
		} else if (strchr("DYhms", kind)) {
			if (date_digit(f, kind, c) < 0)
				return -EINVAL;
		} else if (kind != c) {
			return -EINVAL;
		}
		i++;
	}
	return 0;
}

/* RFC 850 spells the day out: skip the word, keep the rest. */
static int
date_match_850(struct span text, struct date_fields *f)
{
	const char *comma = memchr(text.ptr, ',', text.len);
	size_t n = comma ? (size_t)(comma - text.ptr) : 0;

	if (n < 6 || n > 9)
		return -EINVAL;
	return date_match((struct span){ comma, text.len - n }, ", DD-NNN-YY hh:mm:ss GMT", f);
}

static int64_t
year_of_850(int64_t two, int64_t now)
{
	const int64_t this_year = civil_from(now / 86400).year;
	int64_t year = this_year - this_year % 100 + two;

	if (year > this_year + 50)
		year -= 100;
	return year;
}

int
httpdate_parse(struct span text, int64_t now, int64_t *ret_seconds)
{
	struct date_fields f = { 0 };
	struct civil c, back;

	if (date_match(text, "www, DD NNN YYYY hh:mm:ss GMT", &f) < 0) {
		f = (struct date_fields){ 0 };
		if (date_match_850(text, &f) == 0) {
			f.year = year_of_850(f.year, now);
		} else {
			f = (struct date_fields){ 0 };
			if (date_match(text, "www NNN BD hh:mm:ss YYYY", &f) < 0)
				return -EINVAL;
		}
	}
	if (f.day < 1 || f.day > 31 || f.hour > 23 || f.minute > 59 || f.second > 60)
		return -EINVAL;
	c = (struct civil){ f.year, f.month, (int)f.day };
	back = civil_from(civil_days(c));
	if (back.day != c.day || back.month != c.month) /* 31 April and the like */
		return -EINVAL;
	*ret_seconds = civil_days(c) * 86400 + f.hour * 3600 + f.minute * 60 + f.second;
	return 0;
}
