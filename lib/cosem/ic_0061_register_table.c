/* Class 61, Register table: one attribute of objects that differ in group E. That the values of
 * group E are an array of unsigned is provisional. Blue Book 4.3.7 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("table_cell_values", AXDR_ANY), /* array or compact-array */
    /* class_id, template, group_E_values, attribute_index */
    IC_STATIC("table_cell_definition", AXDR_STRUCT, 4, AXDR_U16, AXDR_OS6, AXDR_ARRAY, AXDR_U8,
              AXDR_I8),
    IC_SCALER_UNIT,
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reset"),
    IC_TRIGGER("capture"),
};

const struct cosem_class cosem_ic_0061 =
    IC_WITH_METHODS(61, 0, "Register table", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
