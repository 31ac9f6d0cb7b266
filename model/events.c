/* See events.h. */
#include "model/events.h"

/* An event that a companion lacks. */
#define MODEL_LOG_NONE MODEL_N_LOGS

/* Each column by itself: an image is for one map, and its linker drops the others'. */
#define COLUMN(name) static const uint8_t name[MODEL_N_EVENTS]
COLUMN(of_idis_log) = {
#define EVENT(name, text, idis_log, idis_code, dsmr_log, dsmr_code, seven_log) MODEL_LOG_##idis_log,
#include "model/events.def"
#undef EVENT
};
COLUMN(of_idis_code) = {
#define EVENT(name, text, idis_log, idis_code, dsmr_log, dsmr_code, seven_log) idis_code,
#include "model/events.def"
#undef EVENT
};
COLUMN(of_dsmr_log) = {
#define EVENT(name, text, idis_log, idis_code, dsmr_log, dsmr_code, seven_log) MODEL_LOG_##dsmr_log,
#include "model/events.def"
#undef EVENT
};
COLUMN(of_dsmr_code) = {
#define EVENT(name, text, idis_log, idis_code, dsmr_log, dsmr_code, seven_log) dsmr_code,
#include "model/events.def"
#undef EVENT
};
COLUMN(of_seven_log) = {
#define EVENT(name, text, idis_log, idis_code, dsmr_log, dsmr_code, seven_log)                     \
    MODEL_LOG_##seven_log,
#include "model/events.def"
#undef EVENT
};

static struct model_event_place in_map(uint8_t map, enum model_event e)
{
    if (map == MODEL_EVENTS_DSMR)
        return (struct model_event_place){of_dsmr_log[e], of_dsmr_code[e]};
    uint8_t log = map == MODEL_EVENTS_SEVEN ? of_seven_log[e] : of_idis_log[e];
    return (struct model_event_place){log, of_idis_code[e]};
}

bool model_event_place(const struct model_meter *m, enum model_event e,
                       struct model_event_place *out)
{
    m = model_row(m);
    if ((unsigned)e >= MODEL_N_EVENTS)
        return false;
    *out = in_map(m->event_map, e);
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
