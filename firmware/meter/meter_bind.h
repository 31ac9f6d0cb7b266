/* What the bindings of the meter share. What the rights of a row do not give (model/objects.c), and
 * values that have not the type of the class, never come to a binding: the server refused them.
 * Private to firmware/meter. */
#ifndef FERRARIS_METER_BIND_H
#define FERRARIS_METER_BIND_H

#include "firmware/meter/meter.h"
#include "lib/cosem/units.h"
#include "lib/dlms/datetime.h"

/* scaler_unit of the powers and of demand: 0.1 W. */
#define METER_POWER_SCALER (-1)

static inline struct meter *meter_of(const struct cosem_call *c)
{
    return c->context;
}

/* SAP of the client that asks; 0 where nobody does. */
uint16_t meter_client(const struct cosem_call *c);
/* One record of the audit trail, as the object of the newest one and the profile show it. */
void meter_put_audit(struct wr *out, const struct meter_audit *a);
void meter_put_scaler_unit(struct wr *out, int8_t scaler, uint8_t unit);

#endif
