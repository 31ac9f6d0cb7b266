/* What the small meter's build of the DLMS core contains: see lib/cosem/options.h. */
#define COSEM_PDU_MAX     256
#define COSEM_ITEM_MAX    160 /* the clock's element of the object list has 121 octets */
#define COSEM_KEPT_MAX    96
#define COSEM_LIST_MAX    8
#define COSEM_CLIENTS_MAX 2
#define COSEM_GBT_STORE   0

#define COSEM_WITH_BLOCK_WRITE  0
#define COSEM_WITH_ACCESS       0
#define COSEM_WITH_NOTIFICATION 0
#define COSEM_WITH_GATEWAY      0
#define COSEM_WITH_HLS2         0
#define COSEM_WITH_HLS6         0
#define COSEM_WITH_NAMES        0
#define COSEM_WITH_LIMITS       0
#define COSEM_WITH_WRAPPER      0
