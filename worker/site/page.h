/*
 * page.h - the small pages that a status code stands on, and redirects.
 * Runs as: worker, no rights.
 * Tests:   tests/http/test_http_basic.py
 */
#pragma once

#include "worker/site/file.h"

/*
 * page_status - make a the answer of this status, with a short HTML body where one is allowed.
 * Fields that were already put into a stay. The body lives in static memory.
 */
void page_status(struct answer *a, unsigned status);

/* A redirect to location, which is sent as it is. */
void page_redirect(struct answer *a, unsigned status, struct span location);

/* Another body for a status that page_status() has given: f's, whose reference is taken. */
void page_replace(struct answer *a, struct file *take_f);
