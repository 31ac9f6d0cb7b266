/* The object table as an image for one model has it: rows left out by the preprocessor, and a
 * model_present() that trusts that. Compiled for each model of the test with IMAGE_MODEL. */
#ifndef TESTS_MODEL_IMAGE_OBJECTS_H
#define TESTS_MODEL_IMAGE_OBJECTS_H

#include "model/objects.h"

struct image_objects {
    const struct model_meter *model;
    const struct cosem_row *rows;
    size_t n_rows;
    bool (*present)(const struct model_meter *m, uint32_t features, const struct cosem_ref *o);
};
/* model_ad13a_image .. */
#define IMAGE_OF(model)  IMAGE_OF_(model)
#define IMAGE_OF_(model) model##_image

#endif
