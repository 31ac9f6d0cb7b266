/* Bars in eighths of a line: a day of quarter hours fits a terminal of 80 columns and more. */
#include "cli/client_curve.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINES      10
#define AXIS_WIDTH 12
#define WIDTH_MAX  192

static size_t terminal_width(void)
{
    struct winsize w;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col < 40)
        return 100;
    return w.ws_col;
}

/* Means of n values in at most `width` columns; gives the number of columns. */
static size_t squeeze(const double *y, size_t n, double *out, size_t width)
{
    const size_t columns = n < width ? n : width;
    for (size_t c = 0; c < columns; c++) {
        const size_t from = c * n / columns, to = (c + 1) * n / columns;
        double sum = 0;
        for (size_t i = from; i < to; i++)
            sum += y[i];
        out[c] = sum / (double)(to - from);
    }
    return columns;
}

static void print_line(const double *y, size_t columns, double low, double step, int line, FILE *to)
{
    static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    for (size_t c = 0; c < columns; c++) {
        const double fill = ((y[c] - low) / step - line) * 8;
        const int level = fill < 0 ? 0 : fill > 8 ? 8 : (int)lround(fill);
        fputs(eighths[level], to);
    }
    fputc('\n', to);
}

static void print_labels(const char *first, const char *last, size_t columns, FILE *to)
{
    const int gap = (int)columns - (int)strlen(first) - (int)strlen(last);
    fprintf(to, "%*s%s%*s%s\n", AXIS_WIDTH + 1, "", first, gap > 1 ? gap : 1, "", last);
}

void curve_print(const double *y, size_t n, const char *first, const char *last, FILE *to)
{
    double bar[WIDTH_MAX];
    const size_t room = terminal_width() - AXIS_WIDTH - 2;
    const size_t columns = squeeze(y, n, bar, room < WIDTH_MAX ? room : WIDTH_MAX);
    double low = 0, high = 0;
    for (size_t c = 0; c < columns; c++) {
        low = fmin(low, bar[c]);
        high = fmax(high, bar[c]);
    }
    const double step = high > low ? (high - low) / LINES : 1;
    for (int line = LINES - 1; line >= 0; line--) {
        if (line == LINES - 1 || line == 0 || line == LINES / 2)
            fprintf(to, "%*.4g ", AXIS_WIDTH, line == 0 ? low : low + (line + 1) * step);
        else
            fprintf(to, "%*s ", AXIS_WIDTH, "");
        print_line(bar, columns, low, step, line, to);
    }
    if (first != NULL && last != NULL)
        print_labels(first, last, columns, to);
}
