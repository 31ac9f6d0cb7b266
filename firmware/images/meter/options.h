/* What the meter's build of the DLMS core contains: see lib/cosem/options.h. */
#define MODEL_ONLY      1 /* model/meters.h */
#define MODEL_ORDER_MAX 1
#ifdef IMAGE_MODEL /* what is compiled for each model: its row's functions decide */
#define MODEL_HAS MODEL_FEATURES_OF(IMAGE_MODEL)
#endif

#define COSEM_PDU_MAX     256
#define COSEM_ITEM_MAX    640 /* capture_objects of 34 columns is a value of 615 octets */
#define COSEM_KEPT_MAX    192 /* descriptors of a list of eight, or one with a range */
#define COSEM_LIST_MAX    8
#define COSEM_CLIENTS_MAX 4
#define COSEM_GBT_STORE   0

#define COSEM_WITH_BLOCK_ACTION 0 /* no method of its classes says or hears that much */
#define COSEM_WITH_LOCKS        0 /* one line, one session */
#define COSEM_WITH_ACCESS       0
#define COSEM_WITH_NOTIFICATION 0
#define COSEM_WITH_GATEWAY      0
#define COSEM_WITH_HLS2         0
#define COSEM_WITH_HLS6         0
#define COSEM_WITH_NAMES        0
#define COSEM_WITH_LIMITS       0 /* the bindings judge their values themselves */
#define COSEM_WITH_WRAPPER      0
