/* Class 68, Arbitrator: which of the actions that several actors ask for is done. Blue Book 4.5.12
 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("actions", AXDR_ARRAY, IC_SCRIPT),
    IC_STATIC("permissions_table", AXDR_ARRAY, AXDR_BITS), /* an actor each, a bit an action */
    IC_STATIC("weightings_table", AXDR_ARRAY, AXDR_ARRAY, AXDR_U16), /* actor, action */
    IC_DYNAMIC("most_recent_requests_table", AXDR_ARRAY, AXDR_BITS),
    IC_DYNAMIC("last_outcome", AXDR_U8), /* number of the action from 1; 0: none */
};
static const struct cosem_method methods[] = {
    IC_METHOD("request_action", AXDR_STRUCT, 2, AXDR_U8, AXDR_BITS), /* actor, actions */
    IC_TRIGGER("reset"),
};

const struct cosem_class cosem_ic_0068 =
    IC_WITH_METHODS(68, 0, "Arbitrator", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
