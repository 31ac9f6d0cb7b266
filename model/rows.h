/* Which rows of objects.def a build has. Private to model/.
 *
 * A build for one model says by MODEL_HAS, MODEL_FEATURES_OF(model_NAME), what that model's row in
 * meters.c has, and then holds no row that model_present() would hide for want of a function. A
 * build for all models has all rows. */
#ifndef FERRARIS_MODEL_ROWS_H
#define FERRARIS_MODEL_ROWS_H

#include "model/objects.h"

/* Functions a meter needs to have an object: numbers in a row's arg. */
enum needs {
    ALWAYS,
    REACTIVE,
    QUADRANTS,
    APPARENT,
    ABSOLUTE,
    NEUTRAL,
    THD,
    ANGLES,
    EXPORT,
    LOSSES,
    RATIOS,
    DIFFERENTIAL,
    UNBALANCE,
    AVERAGES,
    LED_SET,
    REACTIVE_ABSOLUTE,
    REACTIVE_LED_SET,
    APPARENT_EXPORT,
    AVERAGES_EXPORT,
    N_NEEDS
};
_Static_assert(N_NEEDS <= 0x40, "a number of six bits");
#define NEEDS(n) ((unsigned)(n) << 8)

#define LN(a, b, c, d, e)                                                                          \
    {                                                                                              \
        a, b, c, d, e, 255                                                                         \
    }

#ifdef MODEL_HAS
#define MODEL_LACKS (~(MODEL_HAS))
#else
#define MODEL_HAS   0xFFFFFFFFu
#define MODEL_LACKS 0xFFFFFFFFu
#endif

/* WITH_x(row): the row, or nothing where no model of this build has x. */
#define WITH_ALWAYS(...)            __VA_ARGS__
#define WITH_REACTIVE_ABSOLUTE(...) WITH_REACTIVE(WITH_ABSOLUTE(__VA_ARGS__))
#define WITH_REACTIVE_LED_SET(...)  WITH_REACTIVE(WITH_LED_SET(__VA_ARGS__))
#define WITH_APPARENT_EXPORT(...)   WITH_APPARENT(WITH_EXPORT(__VA_ARGS__))
#define WITH_AVERAGES_EXPORT(...)   WITH_AVERAGES(WITH_EXPORT(__VA_ARGS__))
#if MODEL_HAS & MODEL_REACTIVE
#define WITH_REACTIVE(...) __VA_ARGS__
#else
#define WITH_REACTIVE(...)
#endif
#if MODEL_HAS & MODEL_QUADRANTS
#define WITH_QUADRANTS(...) __VA_ARGS__
#else
#define WITH_QUADRANTS(...)
#endif
#if MODEL_HAS & MODEL_APPARENT
#define WITH_APPARENT(...) __VA_ARGS__
#else
#define WITH_APPARENT(...)
#endif
#if MODEL_HAS & MODEL_ABSOLUTE
#define WITH_ABSOLUTE(...) __VA_ARGS__
#else
#define WITH_ABSOLUTE(...)
#endif
#if MODEL_HAS & MODEL_NEUTRAL
#define WITH_NEUTRAL(...) __VA_ARGS__
#else
#define WITH_NEUTRAL(...)
#endif
#if MODEL_HAS & MODEL_THD
#define WITH_THD(...) __VA_ARGS__
#else
#define WITH_THD(...)
#endif
#if MODEL_HAS & MODEL_ANGLES
#define WITH_ANGLES(...) __VA_ARGS__
#else
#define WITH_ANGLES(...)
#endif
#if MODEL_HAS & MODEL_EXPORT
#define WITH_EXPORT(...) __VA_ARGS__
#else
#define WITH_EXPORT(...)
#endif
#if MODEL_HAS & MODEL_LOSSES
#define WITH_LOSSES(...) __VA_ARGS__
#else
#define WITH_LOSSES(...)
#endif
#if MODEL_HAS & MODEL_RATIOS
#define WITH_RATIOS(...) __VA_ARGS__
#else
#define WITH_RATIOS(...)
#endif
#if MODEL_HAS & MODEL_DIFFERENTIAL
#define WITH_DIFFERENTIAL(...) __VA_ARGS__
#else
#define WITH_DIFFERENTIAL(...)
#endif
#if MODEL_HAS & MODEL_UNBALANCE
#define WITH_UNBALANCE(...) __VA_ARGS__
#else
#define WITH_UNBALANCE(...)
#endif
#if MODEL_HAS & MODEL_AVERAGES
#define WITH_AVERAGES(...) __VA_ARGS__
#else
#define WITH_AVERAGES(...)
#endif
#if MODEL_HAS & MODEL_LED_SET
#define WITH_LED_SET(...) __VA_ARGS__
#else
#define WITH_LED_SET(...)
#endif
#if MODEL_HAS & MODEL_MBUS
#define WITH_MBUS(...) __VA_ARGS__
#else
#define WITH_MBUS(...)
#endif
#if MODEL_LACKS & MODEL_LED_SET
#define WITH_LED_FIXED(...) __VA_ARGS__
#else
#define WITH_LED_FIXED(...)
#endif

#endif
