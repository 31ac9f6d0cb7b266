/* See events.h. */
#include "model/events.h"

/* An event that a companion lacks. */
#define MODEL_LOG_NONE MODEL_N_LOGS

static const struct row {
    struct model_event_place idis, dsmr;
    uint8_t seven_log;
} rows[] = {
#define EVENT(name, text_, idis_log, idis_code, dsmr_log, dsmr_code, seven_log_)                   \
    [MODEL_EVENT_##name] = {.idis = {MODEL_LOG_##idis_log, idis_code},                             \
                            .dsmr = {MODEL_LOG_##dsmr_log, dsmr_code},                             \
                            .seven_log = MODEL_LOG_##seven_log_},
#include "model/events.def"
#undef EVENT
};
_Static_assert(sizeof rows / sizeof *rows == MODEL_N_EVENTS, "a row for each event");

static struct model_event_place in_map(uint8_t map, const struct row *row)
{
    if (map == MODEL_EVENTS_DSMR)
        return row->dsmr;
    struct model_event_place place = row->idis;
    if (map == MODEL_EVENTS_SEVEN)
        place.log = row->seven_log;
    return place;
}

bool model_event_place(const struct model_meter *m, enum model_event e,
                       struct model_event_place *out)
{
    m = model_row(m);
    if ((unsigned)e >= MODEL_N_EVENTS)
        return false;
    *out = in_map(m->event_map, &rows[e]);
    if (out->log == MODEL_LOG_NONE)
        return false;
    if (m->log_depth[out->log] == 0)
        out->log = MODEL_LOG_STANDARD;
    return m->log_depth[out->log] > 0;
}

enum model_event model_event_of(const struct model_meter *m, uint8_t code)
{
    for (unsigned e = 0; e < MODEL_N_EVENTS; e++) {
        struct model_event_place place;
        if (model_event_place(m, (enum model_event)e, &place) && place.code == code)
            return (enum model_event)e;
    }
    return MODEL_N_EVENTS;
}

unsigned model_log_at(const struct model_meter *m, unsigned e)
{
    m = model_row(m);
    static const uint8_t idis[MODEL_LOG_CODES] = {
        MODEL_LOG_STANDARD,      MODEL_LOG_FRAUD,         MODEL_LOG_DISCONNECTOR, MODEL_LOG_NONE,
        MODEL_LOG_QUALITY,       MODEL_LOG_COMMUNICATION, MODEL_LOG_NONE,         MODEL_LOG_LOAD,
        MODEL_LOG_CONFIGURATION, MODEL_LOG_SECURITY};
    if (e >= MODEL_LOG_CODES)
        return MODEL_N_LOGS;
    unsigned log = idis[e];
    if (m->event_map == MODEL_EVENTS_DSMR && log == MODEL_LOG_QUALITY)
        log = MODEL_LOG_COMMUNICATION;
    else if (m->event_map == MODEL_EVENTS_DSMR && log == MODEL_LOG_COMMUNICATION)
        log = MODEL_LOG_QUALITY;
    return log != MODEL_LOG_NONE && m->log_depth[log] > 0 ? log : MODEL_N_LOGS;
}
