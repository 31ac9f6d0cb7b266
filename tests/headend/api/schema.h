/* The part of JSON Schema 2020-12 that openapi.json uses. A keyword that is not known here fails
 * the check: the document cannot ask for what is not checked. */
#ifndef FERRARIS_TESTS_HEADEND_API_SCHEMA_H
#define FERRARIS_TESTS_HEADEND_API_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* "#/components/schemas/Meter" in the document; other values as they are. NULL: not there. */
json_t *schema_resolve(json_t *document, json_t *v);
/* False: *why (200 characters) says where and what. */
bool schema_check(json_t *document, json_t *schema, json_t *value, char *why);

#endif
