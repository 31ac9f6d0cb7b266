/* See typetest_svg.h. Coordinates have one decimal: a tenth of the width of a hair line. */
#include "sim/typetest_svg.h"

#include <math.h>
#include <string.h>

#define LABEL_WIDTH  34.0 /* of a tick label on the x axis, with its gap */
#define LABEL_HEIGHT 24.0
#define DIGIT_WIDTH  7.1 /* of a wide font; the point is narrower, which leaves the gap */
#define MARKER       3.2

void svg_escape(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *entity = *text == '&'   ? "&amp;"
                             : *text == '<' ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        if (entity != NULL)
            fputs(entity, to);
        else
            fputc((unsigned char)*text < ' ' || *text == 0x7F ? '?' : *text, to);
    }
}

void svg_begin(FILE *to, double width, double height, const char *label)
{
    fprintf(to, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width, height);
    svg_escape(to, label);
    fputs("\">\n", to);
}

void svg_end(FILE *to)
{
    fputs("</svg>\n", to);
}

void svg_text(FILE *to, double x, double y, char anchor, const char *class, const char *text)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\"", x, y);
    if (anchor != 's')
        fprintf(to, " text-anchor=\"%s\"", anchor == 'm' ? "middle" : "end");
    if (*class != '\0')
        fprintf(to, " class=\"%s\"", class);
    fputc('>', to);
    svg_escape(to, text);
    fputs("</text>\n", to);
}

/* ---- ticks ---- */

/* The least of 1, 2, 5 times a power of ten that is not below x. */
static double step_above(double x)
{
    double decade = pow(10, floor(log10(x)));
    static const double steps[] = {1, 2, 5, 10};
    size_t k = 0;
    while (k < 3 && steps[k] * decade < x * (1 - 1e-9))
        k++;
    return steps[k] * decade;
}

void svg_axis_round(struct svg_axis *a)
{
    double step = step_above((a->hi - a->lo) / 6);
    a->lo = step * floor(a->lo / step + 1e-9);
    a->hi = step * ceil(a->hi / step - 1e-9);
}

static size_t linear_ticks(const struct svg_axis *a, double n_fit,
                           struct svg_tick out[SVG_TICKS_MAX])
{
    double step = step_above((a->hi - a->lo) / fmin(fmax(n_fit, 1), SVG_TICKS_MAX - 2));
    size_t n = 0;
    for (double k = ceil(a->lo / step - 1e-9); k * step <= a->hi + 1e-9 * step; k++) {
        if (n < SVG_TICKS_MAX)
            out[n++] = (struct svg_tick){k * step, true};
    }
    return n;
}

/* Labels at 1, 2, 5 where a decade has room for three of unequal distance, else at 1 alone. */
static size_t log_ticks(const struct svg_axis *a, double per_decade, double need,
                        struct svg_tick out[SVG_TICKS_MAX])
{
    static const double steps[] = {1, 2, 5};
    bool all = per_decade * log10(2) >= need;
    unsigned skip = 1 + (unsigned)(need / per_decade); /* decades from one label to another */
    size_t n = 0;
    for (int d = (int)floor(log10(a->lo)); d <= (int)ceil(log10(a->hi)); d++) {
        for (size_t k = 0; k < 3; k++) {
            double at = steps[k] * pow(10, d);
            if (at < a->lo * (1 - 1e-9) || at > a->hi * (1 + 1e-9) || n == SVG_TICKS_MAX)
                continue;
            out[n++] = (struct svg_tick){at, all || (k == 0 && d % (int)skip == 0)};
        }
    }
    return n;
}

size_t svg_ticks(const struct svg_axis *a, double length, struct svg_tick out[SVG_TICKS_MAX])
{
    if (!a->log)
        return linear_ticks(a, length / LABEL_HEIGHT, out);
    char widest[24]; /* where small figures stand */
    int len = snprintf(widest, sizeof widest, "%.5g", pow(10, floor(log10(a->lo) + 1e-9)));
    return log_ticks(a, length / log10(a->hi / a->lo), fmax(LABEL_WIDTH * 0.7, DIGIT_WIDTH * len),
                     out);
}

void svg_tick_text(const struct svg_axis *a, const struct svg_tick *ticks, size_t n, double at,
                   char out[24])
{
    double step = n > 1 ? ticks[1].at - ticks[0].at : 1;
    int decimals = (int)fmax(0, ceil(-log10(step) - 1e-9));
    if (a->log)
        snprintf(out, 24, "%.5g", at);
    else if (fabs(at) < step / 2)
        snprintf(out, 24, "0");
    else
        snprintf(out, 24, "%s%.*f", at < 0 ? "\xE2\x88\x92" : "", decimals < 9 ? decimals : 9,
                 fabs(at));
}

/* ---- a plot ---- */

static double portion(const struct svg_axis *a, double v)
{
    double part =
        a->log ? log(fmax(v, a->lo) / a->lo) / log(a->hi / a->lo) : (v - a->lo) / (a->hi - a->lo);
    return fmin(fmax(part, 0), 1);
}

static double at_x(const struct svg_plot *p, double v)
{
    return p->left + p->width * portion(&p->x, v);
}

static double at_y(const struct svg_plot *p, double v)
{
    return p->top + p->height * (1 - portion(&p->y, v));
}

static void x_axis(const struct svg_plot *p)
{
    struct svg_tick tick[SVG_TICKS_MAX];
    double length = p->x.log ? p->width : p->width * LABEL_HEIGHT / LABEL_WIDTH / 1.2;
    size_t n = svg_ticks(&p->x, length, tick);
    fputs("<path class=\"g\" d=\"", p->to);
    for (size_t k = 0; k < n; k++)
        fprintf(p->to, "M%.1f %.1fv%.1f", at_x(p, tick[k].at), p->top, p->height + 4);
    fputs("\"/>\n<g text-anchor=\"middle\">", p->to);
    for (size_t k = 0; k < n; k++) {
        char text[24];
        svg_tick_text(&p->x, tick, n, tick[k].at, text);
        if (tick[k].labelled)
            svg_text(p->to, at_x(p, tick[k].at), p->top + p->height + 15, 's', "", text);
    }
    fputs("</g>\n", p->to);
    svg_text(p->to, p->left + p->width / 2, p->top + p->height + 30, 'm', "t", p->x.title);
}

static void y_axis(const struct svg_plot *p)
{
    struct svg_tick tick[SVG_TICKS_MAX];
    size_t n = svg_ticks(&p->y, p->height, tick);
    fputs("<path class=\"g\" d=\"", p->to);
    for (size_t k = 0; k < n; k++)
        fprintf(p->to, "M%.1f %.1fh%.1f", p->left - 4, at_y(p, tick[k].at), p->width + 4);
    fprintf(p->to, "\"/>\n<path class=\"z\" d=\"M%.1f %.1fh%.1f\"/>\n<g text-anchor=\"end\">",
            p->left, at_y(p, 0), p->width);
    for (size_t k = 0; k < n; k++) {
        char text[24];
        svg_tick_text(&p->y, tick, n, tick[k].at, text);
        svg_text(p->to, p->left - 7, at_y(p, tick[k].at) + 3.5, 's', "", text);
    }
    fputs("</g>\n", p->to);
    svg_text(p->to, p->left - 7, p->top - 8, 's', "t", p->y.title);
}

void svg_plot_begin(struct svg_plot *p, unsigned number)
{
    snprintf(p->clip, sizeof p->clip, "p%u", number);
    fprintf(p->to,
            "<clipPath id=\"%s\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
            "</clipPath>\n",
            p->clip, p->left, p->top, p->width, p->height);
    x_axis(p);
    y_axis(p);
    fprintf(p->to, "<rect class=\"a\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            p->left, p->top, p->width, p->height);
}

/* One side of the band from left to right or back. */
static void band_side(const struct svg_plot *p, const struct svg_xy *limit, size_t n, int sign)
{
    for (size_t k = 0; k < n; k++) {
        size_t i = sign > 0 ? k : n - 1 - k;
        double x0 = at_x(p, limit[i].x), x1 = i + 1 < n ? at_x(p, limit[i + 1].x) : x0;
        double y = at_y(p, sign * limit[i].y);
        fprintf(p->to, "%.1f %.1f %.1f %.1f ", sign > 0 ? x0 : x1, y, sign > 0 ? x1 : x0, y);
    }
}

void svg_band(const struct svg_plot *p, const struct svg_xy *limit, size_t n)
{
    if (n == 0)
        return;
    fprintf(p->to, "<path class=\"b\" clip-path=\"url(#%s)\" d=\"M", p->clip);
    band_side(p, limit, n, 1);
    band_side(p, limit, n, -1);
    fprintf(p->to, "Z\"/>\n<path class=\"e\" clip-path=\"url(#%s)\" d=\"M", p->clip);
    band_side(p, limit, n, 1);
    fputs("M", p->to);
    band_side(p, limit, n, -1);
    fputs("\"/>\n", p->to);
}

/* ---- curves ---- */

/* Outlines around the origin. */
static const char *const markers[SVG_STYLES] = {
    "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z", /* circle */
    "M0 -3.8l3.6 6.4h-7.2z",                             /* triangle */
    "M-2.9 -2.9h5.8v5.8h-5.8z",                          /* square */
    "M0 -4.1l3.5 4.1l-3.5 4.1l-3.5 -4.1z",               /* diamond */
    "M0 3.8l3.6 -6.4h-7.2z",                             /* triangle downwards */
    "M-3.8 0l6.4 -3.6v7.2z",                             /* leftwards */
    "M3.8 0l-6.4 -3.6v7.2z",                             /* rightwards */
    "M-3.6 -1.8h7.2v3.6h-7.2z",                          /* bar */
};

void svg_markers(FILE *to)
{
    fputs("<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\">\n", to);
    for (unsigned k = 0; k < 2 * SVG_STYLES; k++) {
        bool hollow = k >= SVG_STYLES;
        fprintf(to,
                "<marker id=\"%c%u\" class=\"s%u%s\" markerUnits=\"userSpaceOnUse\" "
                "markerWidth=\"12\" markerHeight=\"12\" viewBox=\"-6 -6 12 12\"><path d=\"%s\"/>"
                "</marker>\n",
                hollow ? 'h' : 'f', k % SVG_STYLES, k % SVG_STYLES, hollow ? " h" : "",
                markers[k % SVG_STYLES]);
    }
    fputs("</svg>\n", to);
}

static void whiskers(const struct svg_plot *p, unsigned style, const struct svg_xy *point, size_t n)
{
    bool any = false;
    for (size_t k = 0; k < n; k++) {
        double y0 = at_y(p, point[k].y - point[k].spread);
        double y1 = at_y(p, point[k].y + point[k].spread);
        if (!(y0 - y1 > 2 * MARKER))
            continue;
        if (!any)
            fprintf(p->to, "<path class=\"w s%u\" d=\"", style % SVG_STYLES);
        any = true;
        fprintf(p->to, "M%.1f %.1fV%.1f", at_x(p, point[k].x), y0, y1);
    }
    if (any)
        fputs("\"/>\n", p->to);
}

static void crosses(const struct svg_plot *p, const struct svg_xy *point, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (point[k].bad)
            fprintf(p->to, "<path class=\"x\" d=\"M%.1f %.1fm-5 -5l10 10m0 -10l-10 10\"/>\n",
                    at_x(p, point[k].x), at_y(p, point[k].y));
    }
}

void svg_curve(const struct svg_plot *p, unsigned style, bool hollow, const struct svg_xy *point,
               size_t n)
{
    if (n == 0)
        return;
    whiskers(p, style, point, n);
    fprintf(p->to, "<path class=\"c s%u%s\" d=\"", style % SVG_STYLES, hollow ? " h" : "");
    for (size_t k = 0; k < n; k++)
        fprintf(p->to, "%c%.1f %.1f", k == 0 ? 'M' : 'L', at_x(p, point[k].x), at_y(p, point[k].y));
    fprintf(p->to, "%s\"/>\n", n == 1 ? "h0" : "");
    crosses(p, point, n);
}

void svg_sample(FILE *to, double x, double y, unsigned style, bool hollow)
{
    unsigned s = style % SVG_STYLES;
    const char *kind = hollow ? " h" : "";
    fprintf(to, "<path class=\"l s%u%s\" d=\"M%.1f %.1fh24\"/>", s, kind, x, y);
    fprintf(to, "<path class=\"c s%u%s\" d=\"M%.1f %.1fh0\"/>\n", s, kind, x + 12, y);
}
