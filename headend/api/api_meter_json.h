/* Meters and registers as the API shows them: the row of the store, what the collector knows, and
 * how old the newest value is. Keys and passwords are never written, only that they are there. */
#ifndef FERRARIS_HEADEND_API_METER_JSON_H
#define FERRARIS_HEADEND_API_METER_JSON_H

#include "headend/api/api_parts.h"

enum quality { QUALITY_NEVER, QUALITY_STALE, QUALITY_FRESH };
/* Fresh: younger than 2 x period + 30 s. at_ms 0: never. */
enum quality quality_of(int64_t at_ms, int64_t now_ms, uint32_t period_s);
const char *quality_text(enum quality q);

/* One meter; all of them, in order of name, as members of a list that is open. Errors of the store.
 */
MUST_CHECK enum err meter_json(struct api_request *r, struct json_out *j, int64_t id);
MUST_CHECK enum err meters_json(struct api_request *r, struct json_out *j);
void register_json(struct json_out *j, const struct store_register *g, uint32_t period_s,
                   int64_t now_ms);
void column_json(struct json_out *j, const struct store_column *c);
/* cosem_unit_text, or "unit N" for one that is not in its table. */
#define UNIT_TEXT 16
void unit_text(uint8_t unit, char to[UNIT_TEXT]);

#endif
