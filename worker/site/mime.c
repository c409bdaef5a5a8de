/*
 * mime.c - see mime.h.
 */
#include "worker/site/mime.h"

#include "worker/http/field.h"

#define MIME_SUFFIX_MAX 15
#define MIME_TYPE_MAX 100

struct mime_row {
	const char *suffix; /* lower case */
	const char *type;
};

/* In strcmp order of suffix; the unit test checks. */
static const struct mime_row mime_rows[] = {
	{ "7z", "application/x-7z-compressed" },
	{ "aac", "audio/aac" },
	{ "apng", "image/apng" },
	{ "atom", "application/atom+xml" },
	{ "avif", "image/avif" },
	{ "bin", "application/octet-stream" },
	{ "bmp", "image/bmp" },
	{ "bz2", "application/x-bzip2" },
	{ "css", "text/css; charset=utf-8" },
	{ "csv", "text/csv; charset=utf-8" },
	{ "deb", "application/vnd.debian.binary-package" },
	{ "doc", "application/msword" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "eot", "application/vnd.ms-fontobject" },
	{ "epub", "application/epub+zip" },
	{ "flac", "audio/flac" },
	{ "gif", "image/gif" },
	{ "gz", "application/gzip" },
	{ "htm", "text/html; charset=utf-8" },
	{ "html", "text/html; charset=utf-8" },
	{ "ico", "image/x-icon" },
	{ "ics", "text/calendar; charset=utf-8" },
	{ "iso", "application/x-iso9660-image" },
	{ "jar", "application/java-archive" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "text/javascript; charset=utf-8" },
	{ "json", "application/json" },
	{ "jsonld", "application/ld+json" },
	{ "jxl", "image/jxl" },
	{ "m3u8", "application/vnd.apple.mpegurl" },
	{ "m4a", "audio/mp4" },
	{ "map", "application/json" },
	{ "md", "text/markdown; charset=utf-8" },
	{ "mjs", "text/javascript; charset=utf-8" },
	{ "mkv", "video/x-matroska" },
	{ "mov", "video/quicktime" },
	{ "mp3", "audio/mpeg" },
	{ "mp4", "video/mp4" },
	{ "mpd", "application/dash+xml" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "oga", "audio/ogg" },
	{ "ogg", "audio/ogg" },
	{ "ogv", "video/ogg" },
	{ "opus", "audio/ogg" },
	{ "otf", "font/otf" },
	{ "pdf", "application/pdf" },
	{ "pem", "application/x-pem-file" },
	{ "png", "image/png" },
	{ "rss", "application/rss+xml" },
	{ "rtf", "application/rtf" },
	{ "svg", "image/svg+xml" },
	{ "tar", "application/x-tar" },
	{ "tgz", "application/gzip" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "toml", "application/toml" },
	{ "ts", "video/mp2t" },
	{ "ttf", "font/ttf" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "vtt", "text/vtt; charset=utf-8" },
	{ "wasm", "application/wasm" },
	{ "wav", "audio/wav" },
	{ "weba", "audio/webm" },
	{ "webm", "video/webm" },
	{ "webmanifest", "application/manifest+json" },
	{ "webp", "image/webp" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "xhtml", "application/xhtml+xml" },
	{ "xml", "application/xml" },
	{ "xz", "application/x-xz" },
	{ "yaml", "application/yaml" },
	{ "yml", "application/yaml" },
	{ "zip", "application/zip" },
	{ "zst", "application/zstd" },
};

/* Read from the system's file: sorted by suffix, like the rows above. */
static struct mime_row *mime_more;
static size_t mime_n_more;

static int
mime_compare(const void *suffix, const void *row)
{
	return strcmp(suffix, ((const struct mime_row *)row)->suffix);
}

const char *
mime_of(struct span path)
{
	char suffix[MIME_SUFFIX_MAX + 1];
	size_t n = 0;
	const struct mime_row *row;

	while (n < path.len && n <= MIME_SUFFIX_MAX && path.ptr[path.len - 1 - n] != '.' &&
	       path.ptr[path.len - 1 - n] != '/')
		n++;
	if (n == path.len || n > MIME_SUFFIX_MAX || path.ptr[path.len - 1 - n] != '.')
		return "application/octet-stream";
	for (size_t i = 0; i < n; i++)
		suffix[i] = char_lower(path.ptr[path.len - n + i]);
	suffix[n] = '\0';
	row = bsearch(suffix, mime_rows, ELEMENTSOF(mime_rows), sizeof(mime_rows[0]), mime_compare);
	if (!row && mime_n_more > 0)
		row = bsearch(suffix, mime_more, mime_n_more, sizeof(*mime_more), mime_compare);
	return row ? row->type : "application/octet-stream";
}

bool
mime_is_compressible(const char *type)
{
	static const char *const exact[] = { "application/json", "application/xml",
		"application/wasm", "application/manifest+json", "application/x-sh",
		"application/javascript", "application/yaml", "application/toml", "image/svg+xml",
		"image/x-icon", "image/bmp", "font/ttf", "font/otf",
		"application/vnd.ms-fontobject" };
	const size_t n = strcspn(type, ";");

	if (str_starts(type, "text/"))
		return true;
	if (n > 5 &&
	    (memcmp(type + n - 4, "+xml", 4) == 0 || memcmp(type + n - 5, "+json", 5) == 0))
		return true;
	for (size_t i = 0; i < ELEMENTSOF(exact); i++)
		if (strlen(exact[i]) == n && memcmp(type, exact[i], n) == 0)
			return true;
	return false;
}

static int
mime_row_compare(const void *a, const void *b)
{
	return strcmp(((const struct mime_row *)a)->suffix, ((const struct mime_row *)b)->suffix);
}

static int
mime_add(const char *suffix, const char *type)
{
	struct mime_row *more = reallocarray(mime_more, mime_n_more + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	mime_more = more;
	more[mime_n_more] = (struct mime_row){ strdup(suffix), type };
	if (!more[mime_n_more].suffix)
		return -ENOMEM;
	mime_n_more++;
	return 0;
}

/* The next blank-separated word, cut out of *rest in place; NULL at the end. */
static char *
mime_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	const size_t n = strcspn(word, " \t");

	*rest = word + n + (word[n] ? 1 : 0);
	word[n] = '\0';
	return n > 0 ? word : NULL;
}

/* "type suffix suffix..." of one line. */
static int
mime_load_line(char *line)
{
	char *type, *suffix, *full = NULL;

	line[strcspn(line, "#\r\n")] = '\0';
	type = mime_word(&line);
	if (!type || !strchr(type, '/') || strlen(type) > MIME_TYPE_MAX)
		return 0;
	while ((suffix = mime_word(&line)) != NULL) {
		int r;

		if (strlen(suffix) > MIME_SUFFIX_MAX)
			continue;
		if (!full && asprintf(&full, "%s%s", type,
				 str_starts(type, "text/") ? "; charset=utf-8" : "") < 0)
			return -ENOMEM;
		r = mime_add(suffix, full); /* all suffixes of the line share it */
		if (r < 0)
			return r;
	}
	return 0;
}

int
mime_load(const char *path)
{
	_cleanup_file_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && getline(&line, &size, f) >= 0)
		r = mime_load_line(line);
	qsort(mime_more, mime_n_more, sizeof(*mime_more), mime_row_compare);
	return r;
}
