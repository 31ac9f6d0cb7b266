/* Class 63, Status mapping: which bit of a status word is which entry of a reference table. Blue
 * Book 4.3.8 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("status_word", AXDR_SIMPLE), /* bits, octets, or an unsigned of any width */
    /* ref_table_id; the first entry as long-unsigned, or an array of them */
    IC_STATIC("mapping_table", AXDR_STRUCT, 2, AXDR_U8, AXDR_ANY),
};

const struct cosem_class cosem_ic_0063 = IC_OF(63, 0, "Status mapping", attrs, IC_COUNT(attrs));
