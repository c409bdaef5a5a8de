/*
 * admin.c - see admin.h. One table of figures makes both forms.
 */
#include "worker/admin.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

#include "common/json.h"
#include "worker/http/field.h"

#define ADMIN_BYTES_MAX (256u << 10)

#define LATENCY_FIRST_BIT 4 /* the first bucket ends at 2^4 us */
#define LATENCY_BUCKETS ELEMENTSOF(((struct worker_stats *)0)->latency)
static_assert(LATENCY_BUCKETS == ELEMENTSOF(((struct tls_stats *)0)->signer_usec), "alike");

struct figure {
	const char *name, *label, *type, *help;
	size_t field; /* in struct worker_stats, an uint64_t */
};

#define AT(member) offsetof(struct worker_stats, member)
#define FAILED(why) AT(tls.failed) + (why) * sizeof(uint64_t)
#define TIMEOUT(p) AT(server.conn.timeouts) + (p) * sizeof(uint64_t)

/* Figures of one name stand together: Prometheus wants its TYPE once. */
static const struct figure figures[] = {
	{ "connections", NULL, "gauge", "Connections now.", AT(server.connections) },
	{ "connections_accepted_total", NULL, "counter", "Connections taken.",
	    AT(server.accepted) },
	{ "connections_refused_total", "reason=\"limit\"", "counter",
	    "Connections that were not taken.", AT(server.turned_away) },
	{ "connections_refused_total", "reason=\"resources\"", "counter", NULL,
	    AT(server.refused) },
	{ "requests_total", NULL, "counter", "Requests answered.", AT(server.conn.requests) },
	{ "sent_bytes_total", NULL, "counter", "Bytes given to the kernel for clients.",
	    AT(server.conn.bytes_sent) },
	{ "rate_limited_total", NULL, "counter", "Requests answered 429 by rate.",
	    AT(server.conn.limited) },
	{ "timeouts_total", "waiting=\"handshake\"", "counter",
	    "Connections ended by a time limit.", TIMEOUT(PATIENCE_HANDSHAKE) },
	{ "timeouts_total", "waiting=\"head\"", "counter", NULL, TIMEOUT(PATIENCE_HEAD) },
	{ "timeouts_total", "waiting=\"idle\"", "counter", NULL, TIMEOUT(PATIENCE_IDLE) },
	{ "timeouts_total", "waiting=\"body\"", "counter", NULL, TIMEOUT(PATIENCE_BODY) },
	{ "timeouts_total", "waiting=\"write\"", "counter", NULL, TIMEOUT(PATIENCE_WRITE) },
	{ "timeouts_total", "waiting=\"linger\"", "counter", NULL, TIMEOUT(PATIENCE_LINGER) },
	{ "timeouts_total", "waiting=\"rate\"", "counter", NULL, AT(server.conn.too_slow) },
	{ "cache_hits_total", NULL, "counter", "Files found in the cache.", AT(cache.hits) },
	{ "cache_misses_total", NULL, "counter", "Files opened.", AT(cache.misses) },
	{ "cache_evictions_total", NULL, "counter", "Files that had to go.", AT(cache.evictions) },
	{ "cache_files", NULL, "gauge", "Files in the cache.", AT(cache.files) },
	{ "cache_bytes", NULL, "gauge", "Memory of the cache.", AT(cache.bytes) },
	{ "log_dropped_total", NULL, "counter", "Lines of the access log that were dropped.",
	    AT(log_dropped) },
	{ "tls_handshakes_total", "version=\"1.2\"", "counter", "TLS handshakes done.",
	    AT(tls.tls12) },
	{ "tls_handshakes_total", "version=\"1.3\"", "counter", NULL, AT(tls.tls13) },
	{ "tls_resumed_total", NULL, "counter", "Of those, resumed sessions.", AT(tls.resumed) },
	{ "tls_client_certificates_total", NULL, "counter",
	    "Of those, with a certificate of the client.", AT(tls.client_certs) },
	{ "tls_kernel_total", NULL, "counter", "Of those, encrypted by the kernel from then on.",
	    AT(tls.kernel) },
	{ "tls_failed_total", "reason=\"closed\"", "counter", "TLS handshakes that failed.",
	    FAILED(TLS_FAIL_CLOSED) },
	{ "tls_failed_total", "reason=\"alert\"", "counter", NULL, FAILED(TLS_FAIL_ALERT) },
	{ "tls_failed_total", "reason=\"not_tls\"", "counter", NULL, FAILED(TLS_FAIL_NOT_TLS) },
	{ "tls_failed_total", "reason=\"version\"", "counter", NULL, FAILED(TLS_FAIL_VERSION) },
	{ "tls_failed_total", "reason=\"nothing_shared\"", "counter", NULL,
	    FAILED(TLS_FAIL_NOTHING_SHARED) },
	{ "tls_failed_total", "reason=\"alpn\"", "counter", NULL, FAILED(TLS_FAIL_ALPN) },
	{ "tls_failed_total", "reason=\"client_certificate\"", "counter", NULL,
	    FAILED(TLS_FAIL_CLIENT_CERT) },
	{ "tls_failed_total", "reason=\"protocol\"", "counter", NULL, FAILED(TLS_FAIL_PROTOCOL) },
	{ "tls_failed_total", "reason=\"signer\"", "counter", NULL, FAILED(TLS_FAIL_SIGNER) },
	{ "tls_failed_total", "reason=\"time\"", "counter", NULL, FAILED(TLS_FAIL_TIME) },
	{ "tls_failed_total", "reason=\"signer_time\"", "counter", NULL,
	    FAILED(TLS_FAIL_SIGNER_TIME) },
	{ "tls_handshakes", NULL, "gauge", "TLS handshakes under way.", AT(tls.now.handshakes) },
	{ "tls_signing", NULL, "gauge", "Handshakes that wait for a signature.",
	    AT(tls.now.signing) },
	{ "tls_held", NULL, "gauge", "Handshakes that wait for the signer's return, or their turn.",
	    AT(tls.now.held) },
	{ "tls_tickets_total", "result=\"made\"", "counter", "Session tickets.",
	    AT(tls.tickets_made) },
	{ "tls_tickets_total", "result=\"unknown\"", "counter", NULL, AT(tls.tickets_unknown) },
	{ "tls_signer_up", NULL, "gauge", "Workers that the signer has answered.",
	    AT(tls.now.signer_up) },
	{ "tls_signer_connects_total", NULL, "counter", "Connections to the signer.",
	    AT(tls.connects) },
	{ "tls_signatures_total", NULL, "counter", "Signatures made by the signer.",
	    AT(tls.signed_) },
	{ "tls_signer_refused_total", NULL, "counter", "Signatures refused by the signer.",
	    AT(tls.refused) },
};

static uint64_t
figure_value(const struct worker_stats *w, size_t field)
{
	return *(const uint64_t *)(const void *)((const char *)w + field);
}

static void
metrics_head(struct buf *b, const char *name, const char *type, const char *help)
{
	(void)buf_printf(
	    b, "# HELP sallyport_%s %s\n# TYPE sallyport_%s %s\n", name, help, name, type);
}

static void
metrics_process(const struct shared *s, struct buf *b)
{
	metrics_head(b, "workers", "gauge", "Worker processes.");
	(void)buf_printf(b, "sallyport_workers %u\n", s->workers);
	metrics_head(b, "worker_deaths_total", "counter", "Workers that died unasked.");
	(void)buf_printf(b, "sallyport_worker_deaths_total %llu\n", (unsigned long long)s->deaths);
	metrics_head(b, "reloads_total", "counter", "Configurations read again.");
	(void)buf_printf(
	    b, "sallyport_reloads_total{result=\"done\"} %llu\n", (unsigned long long)s->reloads);
	(void)buf_printf(b, "sallyport_reloads_total{result=\"failed\"} %llu\n",
	    (unsigned long long)s->reloads_failed);
	metrics_head(b, "start_time_seconds", "gauge", "When the first process started.");
	(void)buf_printf(
	    b, "sallyport_start_time_seconds %llu\n", (unsigned long long)s->started_seconds);
}

static void
metrics_histogram(
    const char *name, const char *help, const uint64_t *buckets, uint64_t sum_usec, struct buf *b)
{
	uint64_t sum = 0;

	metrics_head(b, name, "histogram", help);
	for (size_t i = 0; i + 1 < LATENCY_BUCKETS; i++) {
		const uint64_t usec = UINT64_C(1) << (i + LATENCY_FIRST_BIT);

		sum += buckets[i];
		(void)buf_printf(b, "sallyport_%s_bucket{le=\"%llu.%06llu\"} %llu\n", name,
		    (unsigned long long)(usec / USEC_PER_SEC),
		    (unsigned long long)(usec % USEC_PER_SEC), (unsigned long long)sum);
	}
	sum += buckets[LATENCY_BUCKETS - 1];
	(void)buf_printf(b,
	    "sallyport_%s_bucket{le=\"+Inf\"} %llu\n"
	    "sallyport_%s_sum %llu.%06llu\nsallyport_%s_count %llu\n",
	    name, (unsigned long long)sum, name, (unsigned long long)(sum_usec / USEC_PER_SEC),
	    (unsigned long long)(sum_usec % USEC_PER_SEC), name, (unsigned long long)sum);
}

static void
metrics_text(const struct shared *s, const struct worker_stats *w, struct buf *b)
{
	metrics_process(s, b);
	for (size_t i = 0; i < ELEMENTSOF(figures); i++) {
		const struct figure *f = &figures[i];

		if (f->help)
			metrics_head(b, f->name, f->type, f->help);
		(void)buf_printf(b, "sallyport_%s%s%s%s %llu\n", f->name, f->label ? "{" : "",
		    f->label ? f->label : "", f->label ? "}" : "",
		    (unsigned long long)figure_value(w, f->field));
	}
	metrics_head(b, "answers_total", "counter", "Answers by status.");
	for (unsigned code = 100; code < 600; code++)
		if (w->server.conn.by_status[code] > 0)
			(void)buf_printf(b, "sallyport_answers_total{code=\"%u\"} %llu\n", code,
			    (unsigned long long)w->server.conn.by_status[code]);
	metrics_histogram("request_seconds", "From the end of a request to the end of its answer.",
	    w->latency, w->latency_sum_usec, b);
	metrics_histogram("tls_signer_seconds", "How long handshakes waited for a signature.",
	    w->tls.signer_usec, w->tls.signer_usec_sum, b);
}

static void
status_json(const struct shared *s, const struct worker_stats *w, struct buf *b)
{
	struct json j;
	char code_text[8];

	json_init(&j, b);
	json_open_object(&j, NULL);
	json_str(&j, "version", SALLYPORT_VERSION);
	json_u64(&j, "started", s->started_seconds);
	json_bool(&j, "ready", s->ready && !s->stopping);
	json_u64(&j, "workers", s->workers);
	json_u64(&j, "generation", s->generation);
	json_u64(&j, "worker_deaths", s->deaths);
	json_u64(&j, "reloads", s->reloads);
	json_u64(&j, "reloads_failed", s->reloads_failed);
	for (size_t i = 0; i < ELEMENTSOF(figures); i++) {
		const struct figure *f = &figures[i];
		char name[80];
		const char *value = f->label ? strchr(f->label, '"') + 1 : "";

		(void)snprintf(name, sizeof(name), "%s%s%.*s", f->name, f->label ? "_" : "",
		    (int)strcspn(value, "\""), value);
		json_u64(&j, name, figure_value(w, f->field));
	}
	json_u64(&j, "tls_signer_usec", w->tls.signer_usec_sum);
	json_open_object(&j, "answers");
	for (unsigned code = 100; code < 600; code++) {
		if (w->server.conn.by_status[code] == 0)
			continue;
		(void)snprintf(code_text, sizeof(code_text), "%u", code);
		json_u64(&j, code_text, w->server.conn.by_status[code]);
	}
	json_close(&j);
	json_close(&j);
	(void)buf_putc(b, '\n');
}

static void
admin_text(struct answer *a, unsigned status, const char *type, struct span text)
{
	a->status = (uint16_t)status;
	answer_field(a, "Content-Type", span_of(type));
	answer_field(a, "Cache-Control", span_of("no-store"));
	a->one = (struct stretch){ text.ptr, 0, text.len };
	a->n_body = 1;
	a->length = text.len;
}

/* The body is made on the heap and goes with the answer. */
static void
answer_figures(const struct shared *s, bool json, struct answer *a)
{
	_cleanup_free_ struct worker_stats *w = malloc(sizeof(*w));
	struct buf b;

	buf_init_heap(&b, ADMIN_BYTES_MAX);
	if (w) {
		shared_sum(s, w);
		if (json)
			status_json(s, w, &b);
		else
			metrics_text(s, w, &b);
	}
	if (!w || b.failed) {
		buf_done(&b);
		admin_text(a, 503, "text/plain", span_of("out of memory\n"));
		return;
	}
	a->many = b.data;
	admin_text(a, 200, json ? "application/json" : "text/plain; version=0.0.4; charset=utf-8",
	    (struct span){ b.data, b.len });
}

void
admin_answer(const struct shared *s, const struct request *r, struct answer *a)
{
	const bool ready = s->ready && !s->stopping;

	a->head_only = r->method == METHOD_HEAD;
	if (r->method != METHOD_GET && r->method != METHOD_HEAD) {
		answer_field(a, "Allow", span_of("GET, HEAD"));
		admin_text(a, 405, "text/plain", span_of("GET and HEAD only\n"));
	} else if (span_equal(r->path, "/metrics")) {
		answer_figures(s, false, a);
	} else if (span_equal(r->path, "/status")) {
		answer_figures(s, true, a);
	} else if (span_equal(r->path, "/healthz")) {
		admin_text(a, 200, "text/plain", span_of("ok\n"));
	} else if (span_equal(r->path, "/readyz")) {
		admin_text(
		    a, ready ? 200 : 503, "text/plain", span_of(ready ? "ready\n" : "not ready\n"));
	} else {
		admin_text(a, 404, "text/plain", span_of("/metrics /status /healthz /readyz\n"));
	}
}
