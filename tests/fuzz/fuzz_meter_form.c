/* Fuzz target of the JSON that adds or changes a meter: whatever comes in, a form that is taken
 * passes the check, and one that is not names its member and says why. */
#include "headend/api/api_meter_form.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_meter m;
    struct meter_secret secret;
    struct meter_form_fault fault;
    struct meter_fault bad;
    bool given;
    json_t *v = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(v)) {
        json_decref(v);
        return 0;
    }
    memset(&m, 0, sizeof m);
    memset(&secret, 0, sizeof secret);
    meter_defaults(&m);
    const bool good = meter_form_read(v, size % 2 == 0, &m, &secret, &given, &fault);
    if (good) {
        CHECK(meter_check(&m, &secret, &bad));
        CHECK(memchr(m.name, 0, sizeof m.name) != NULL && m.name[0] != '\0');
        CHECK(memchr(m.url, 0, sizeof m.url) != NULL);
    } else {
        CHECK(fault.message[0] != '\0' && strlen(fault.field) < sizeof fault.field);
        CHECK(!fault.unknown || json_object_size(v) > 0);
    }
    json_decref(v);
    return 0;
}
