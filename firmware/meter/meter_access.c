/* What the server tells of clients that could not prove who they are, as events: limited by
 * meter_log.h so that nobody on a line can wear the flash or push other events out. */
#include "firmware/meter/meter_store.h"

static unsigned entry_of(const struct meter *m, uint16_t client_sap)
{
    unsigned i = 0;
    while (i < MODEL_N_CLIENTS - 1 && m->clients[i].sap != client_sap)
        i++;
    return i;
}

/* On the flash before the answer: refusals are answered without before_tell. */
static void tell(struct meter *m, enum model_event e, uint16_t client_sap)
{
    meter_event_value(m, e, meter_now_s(m), client_sap);
    meter_log_flush(m);
}

void meter_access_authenticated(void *context, uint16_t client_sap, bool ok)
{
    struct meter *m = context;
    uint8_t *n = &m->log.n_refused[entry_of(m, client_sap)];
    *n = ok ? 0 : (uint8_t)(*n + 1);
    if (*n < METER_LOG_REFUSALS)
        return;
    *n = 0;
    tell(m, MODEL_EVENT_ACCESS_REFUSED, client_sap);
}

void meter_access_refused(void *context, uint16_t client_sap, enum err why)
{
    tell(context, why == ERR_REPLAY ? MODEL_EVENT_REPLAY : MODEL_EVENT_DECIPHER_FAILED, client_sap);
}
