/* Names from the rows of our own meters' objects. */
#include "cli/object_name.h"

#include "model/names.h"
#include "model/objects.h"

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
    _Static_assert(MODEL_NAME_MAX <= 96, "room");
    model_name(&ref, room, 96);
    return room;
}
