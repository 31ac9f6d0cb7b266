/* Texts of events and logs for people, apart from events.c: a meter does without, and its linker
 * leaves this file where it is. */
#include "model/events.h"

static const char *const event[MODEL_N_EVENTS] = {
#define EVENT(name, text, idis_log, idis, dsmr_log, dsmr, seven_log) [MODEL_EVENT_##name] = (text),
#include "model/events.def"
#undef EVENT
};

const char *model_event_text(unsigned e)
{
    return e < MODEL_N_EVENTS ? event[e] : "?";
}

const char *model_log_text(unsigned log)
{
    static const char *const log_text[MODEL_N_LOGS] = {
        [MODEL_LOG_STANDARD] = "standard",           [MODEL_LOG_FRAUD] = "fraud",
        [MODEL_LOG_DISCONNECTOR] = "disconnector",   [MODEL_LOG_QUALITY] = "power quality",
        [MODEL_LOG_COMMUNICATION] = "communication", [MODEL_LOG_LOAD] = "load",
        [MODEL_LOG_CONFIGURATION] = "configuration", [MODEL_LOG_SECURITY] = "security",
        [MODEL_LOG_OUTAGE] = "power failures",
    };
    return log < MODEL_N_LOGS ? log_text[log] : "?";
}
