/* Fuzz target of A-XDR: walking, checking and printing a value agree on where it ends.
 *
 * A value that is skipped without error is printed without error up to the same octet, passes the
 * type "any", and re-read at exactly its length it is whole while one octet less is not. */
#include "lib/cosem/model.h"
#include "lib/dlms/axdr_text.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static size_t skip(const uint8_t *p, size_t n, enum err *err)
{
    uint8_t *exact = malloc(n ? n : 1); /* of exact size, for the address sanitizer */
    CHECK(exact);
    if (n)
        memcpy(exact, p, n);
    struct rd r = rd_of(exact, n);
    axdr_skip(&r);
    *err = r.err;
    free(exact);
    return r.pos;
}

/* Every type of every class meets the value: none may read past it or say it is longer. */
static void check_types(const uint8_t *data, size_t size, size_t end)
{
    const struct cosem_class *ic;
    for (size_t i = 0; (ic = cosem_class_at(i)) != NULL; i++) {
        for (size_t k = 0; k < ic->n_attrs; k++) {
            struct rd r = rd_of(data, size);
            axdr_check(&r, cosem_attr_type(&ic->attrs[k]));
            CHECK(r.err || r.pos == end);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum err err, shorter;
    size_t end = skip(data, size, &err);
    struct rd r = rd_of(data, size);
    struct wr w = wr_counter();
    check_types(data, size, end);
    axdr_text(&r, &w);
    CHECK(err || (r.err == ERR_OK && r.pos == end && w.len > 0));
    if (err)
        return 0;
    CHECK(skip(data, end, &err) == end && err == ERR_OK);
    (void)skip(data, end - 1, &shorter);
    CHECK(shorter == ERR_TRUNCATED);
    return 0;
}
