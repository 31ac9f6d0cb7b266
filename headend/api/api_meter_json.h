/* Meters and registers as the API shows them: the row of the store, what the collector knows, and
 * how old the newest value is. Keys and passwords are never written, only that they are there. */
#ifndef FERRARIS_HEADEND_API_METER_JSON_H
#define FERRARIS_HEADEND_API_METER_JSON_H

#include "headend/api/api_parts.h"

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
