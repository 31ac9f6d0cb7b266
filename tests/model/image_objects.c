/* See image_objects.h. Every name of the two sources is this model's own, so that all eight can be
 * in one program beside the table of all models. */
#define MODEL_ONLY       1
#define MODEL_HAS        MODEL_FEATURES_OF(IMAGE_MODEL)
#define OWN(name)        OWN_(name, IMAGE_MODEL)
#define OWN_(name, own)  OWN__(name, own)
#define OWN__(name, own) own##_##name

#define model_only              OWN(only)
#define model_rows              OWN(rows)
#define model_n_rows            OWN(n_rows)
#define model_present           OWN(present)
#define model_profile_ln        OWN(profile_ln)
#define model_profile_status_ln OWN(profile_status_ln)
#define model_ln_clock          OWN(ln_clock)
#define model_ln_outage         OWN(ln_outage)

#include "model/rows.c"

#include "model/objects.c"

#include "tests/model/image_objects.h"

const struct model_meter *const model_only = &IMAGE_MODEL;

extern const struct image_objects IMAGE_OF(IMAGE_MODEL);
const struct image_objects IMAGE_OF(IMAGE_MODEL) = {
    .model = &IMAGE_MODEL,
    .rows = model_rows,
    .n_rows = sizeof model_rows / sizeof model_rows[0],
    .present = model_present,
};
