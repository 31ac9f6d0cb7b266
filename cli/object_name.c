/* Names from the rows of our own meters' objects. */
#include "cli/object_name.h"

#include "model/objects.h"

#include <stdio.h>

static bool find_row(uint16_t class_id, const uint8_t ln[6], struct cosem_ref *ref)
{
    static const uint16_t classes[] = {1, 3, 4, 5, 7, 8, 15, 17, 64};
    const struct cosem_device all = {.rows = model_rows, .n_rows = model_n_rows};
    if (class_id != 0)
        return cosem_find(&all, class_id, ln, ref);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (cosem_find(&all, classes[i], ln, ref))
            return true;
    return false;
}

const char *object_name(uint16_t class_id, const uint8_t ln[6], char room[96])
{
    struct cosem_ref ref;
    if (!find_row(class_id, ln, &ref) || ref.row->name == NULL)
        return "";
    const uint32_t arg = ref.row->arg;
    const bool total = MODEL_HAS_TOTAL(arg);
    if ((arg & (MODEL_BY_PHASE | MODEL_WITH_TOTAL)) == 0 || (total && ref.i == 0))
        return ref.row->name;
    snprintf(room, 96, "%s L%u", ref.row->name, ref.i + (total ? 0u : 1u));
    return room;
}
