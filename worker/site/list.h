/*
 * list.h - a directory as a page for people, or as JSON for programs.
 * Runs as: worker, no rights.
 * Trusts:  no name: it is escaped for where it stands. What a symbolic link leads to is shown only
 *          if it lies below the root.
 * Tests:   tests/http/test_http_list.py, in Chromium too
 */
#pragma once

#include "worker/site/site.h"

/* More entries than this are not shown; the page says so. */
#define LIST_MAX 10000

/*
 * list_answer - fill a.
 * @dir:  the directory's path below the route's root, with its last slash
 * @shown: the path as the client knows it
 * Sorted by the query: sort=name|size|time, order=asc|desc. JSON when Accept likes it better than
 * HTML, or by format=json in the query.
 */
void list_answer(const struct route *route, const struct request *r, const char *dir,
    struct span shown, struct answer *a);
