/* See meter_tell.h. */
#include "firmware/meter/meter_tell.h"

#include "firmware/meter/meter_store.h"

#include <string.h>

const struct legal_energies *meter_told(struct meter *m)
{
    struct legal_energies now;
    legal_energies_get(&m->legal, &now);
    if (m->tells >= METER_TELL_COST && memcmp(&now, &m->told, sizeof now) != 0) {
        m->told = now;
        m->owes = true;
    }
    return &m->told;
}

void meter_tell_outage(struct meter *m)
{
    m->owes = m->owes || m->tells >= METER_TELL_COST;
}

void meter_tell_begin(struct meter *m)
{
    m->tells = METER_TELL_MAX;
}

void meter_tell_minute(struct meter *m)
{
    if (m->tells < METER_TELL_MAX)
        m->tells++;
    if (m->floors < METER_FLOORS_MAX)
        m->floors++;
}

void meter_tell_stored(struct meter *m, bool done)
{
    if (done)
        m->owes = false;
    else if (m->tells < METER_TELL_COST)
        m->tells = METER_TELL_COST;
}

/* The credit is spent before: the snapshot holds what is left. */
static enum err sync_registers(struct meter *m)
{
    if (!m->owes)
        return ERR_OK;
    m->tells = (uint8_t)(m->tells < METER_TELL_COST ? 0 : m->tells - METER_TELL_COST);
    return meter_commit(m);
}

static enum err sync_floors(struct meter *m)
{
    bool is_due = false;
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++)
        is_due = is_due || m->server.rx_floor[i] > m->stored_floor[i];
    if (!is_due)
        return ERR_OK;
    const bool exact = m->floors > 0;
    m->floors = (uint8_t)(m->floors - exact);
    return meter_keep(m, meter_store_rx(m, exact ? 0 : METER_FLOOR_AHEAD));
}

enum err meter_sync(struct meter *m)
{
    enum err err = sync_registers(m);
    return err ? err : sync_floors(m);
}

enum err meter_before_tell(void *context, enum cosem_role role)
{
    struct meter *m = context;
    meter_log_flush(m); /* a stranger causes no more entries than the logs' limits allow */
    return role == COSEM_PUBLIC ? sync_floors(m) : meter_sync(m);
}
