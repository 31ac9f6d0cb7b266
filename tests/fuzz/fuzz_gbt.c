/* Fuzz target of general block transfer.
 *
 * Input: block size, store, windows, length of the APDU, then what happens, an octet at a time: the
 * line delivers, loses, doubles or overtakes a block, the sender's timer runs out, or an invented
 * block comes. What the receiver hands on is always the beginning of the APDU sent, until an
 * invented block was taken; the codec writes what it read. */
#include "lib/dlms/gbt.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define LINE 64

struct world {
    struct gbt_sender tx, words; /* of the APDU; of the other side */
    struct gbt_receiver rx;
    size_t apdu_len, filled, got;
    struct gbt_block line[LINE];
    uint8_t octets[LINE][256];
    size_t n_line;
    uint8_t window;
    bool invented;
};

static uint8_t octet_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 256);
}

static enum err fill(void *context, uint8_t *to, size_t size, size_t *n, bool *end)
{
    struct world *w = context;
    for (*n = 0; *n < size && w->filled < w->apdu_len; ++*n)
        to[*n] = octet_at(w->filled++);
    *end = w->filled == w->apdu_len;
    return ERR_OK;
}

/* Through the codec, so that the line carries octets. */
static void put_line(struct world *w, const struct gbt_block *b)
{
    if (w->n_line == LINE)
        return;
    uint8_t *to = w->octets[w->n_line];
    struct wr wr = wr_of(to, sizeof w->octets[0]);
    gbt_put(&wr, b);
    CHECK(!wr.err);
    struct rd r = rd_of(to, wr.len);
    gbt_get(&r, &w->line[w->n_line]);
    CHECK(!r.err);
    w->n_line++;
}

static void drop(struct world *w, size_t i)
{
    w->n_line--;
    memmove(&w->line[i], &w->line[i + 1], (w->n_line - i) * sizeof w->line[0]);
    for (size_t j = i; j < w->n_line; j++) {
        memmove(w->octets[j], w->octets[j + 1], sizeof w->octets[0]);
        const ptrdiff_t at = w->line[j].data.p - w->octets[j + 1];
        if (w->line[j].data.p)
            w->line[j].data.p = w->octets[j] + at;
    }
}

static void window(struct world *w)
{
    struct gbt_block b;
    while (w->n_line < LINE && gbt_sender_next(&w->tx, 0, 1, &b))
        put_line(w, &b);
}

static void take(struct world *w, const struct gbt_block *b)
{
    struct bytes data;
    struct gbt_block word;
    const bool was_done = w->rx.done;
    const enum err err = gbt_receiver_block(&w->rx, b, &data);
    CHECK(!err || (err == ERR_FORMAT && b->number == 0));
    CHECK(data.len == 0 || !was_done);
    for (size_t i = 0; i < data.len && !w->invented; i++)
        CHECK(w->got + i < w->apdu_len && data.p[i] == octet_at(w->got + i));
    w->got += data.len;
    CHECK(w->invented || !w->rx.done || w->got == w->apdu_len);
    if (err || !w->rx.answer)
        return;
    gbt_sender_answer(&w->words, w->rx.acked, w->window, &word);
    if (gbt_sender_ack(&w->tx, word.ack, word.window) == ERR_OK)
        window(w);
    else
        CHECK(w->invented);
}

static void step(struct world *w, uint8_t what)
{
    const size_t i = w->n_line > 0 ? (what >> 3) % w->n_line : 0;
    if ((what & 7) == 7 || w->n_line == 0) {
        gbt_sender_again(&w->tx);
        window(w);
        return;
    }
    if ((what & 7) == 6) { /* doubled, the second at once */
        take(w, &w->line[i]);
        return;
    }
    if ((what & 7) < 5) { /* in order, or overtaking */
        uint8_t octets[256];
        const size_t at = (what & 7) < 4 ? 0 : i;
        struct gbt_block b = w->line[at];
        memcpy(octets, w->octets[at], sizeof octets);
        if (b.data.p)
            b.data.p = octets + (b.data.p - w->octets[at]);
        drop(w, at);
        take(w, &b);
        return;
    }
    drop(w, i);
}

static void round_trip(const uint8_t *p, size_t n)
{
    uint8_t out[4200];
    struct gbt_block b, again;
    struct rd r = rd_of(p, n);
    gbt_get(&r, &b);
    if (r.err)
        return;
    struct wr w = wr_of(out, sizeof out);
    gbt_put(&w, &b);
    CHECK(!w.err && w.len <= n);
    r = rd_of(out, w.len);
    gbt_get(&r, &again);
    CHECK(!r.err && again.number == b.number && again.ack == b.ack && again.last == b.last &&
          again.window == b.window && again.data.len == b.data.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    static uint8_t store[4096];
    round_trip(data, size);
    if (size < 6 || size > 4096)
        return 0;
    memset(&w, 0, sizeof w);
    w.apdu_len = 1u + data[3] * 8u;
    w.window = (uint8_t)(1 + data[2] % 63);
    w.tx.context = &w;
    w.tx.fill = fill;
    w.tx.store = store;
    w.tx.block_size = (uint16_t)(1 + data[0] % 128);
    w.tx.store_size = w.tx.block_size * (1u + data[1] % 32u);
    CHECK(gbt_sender_init(&w.tx, (uint8_t)(1 + data[4] % 63)) == ERR_OK);
    CHECK(gbt_sender_init(&w.words, 1) == ERR_OK);
    gbt_receiver_init(&w.rx);
    window(&w);
    for (size_t i = 5; i < size; i++) {
        if (data[i] == 0xFF && size - i > 4) { /* an invented block */
            w.invented = true;
            take(&w, &(struct gbt_block){.last = data[i + 1] & 1,
                                         .streaming = data[i + 1] & 2,
                                         .number = (uint16_t)(data[i + 2] << 8 | data[i + 3]),
                                         .data = {data + i + 4, data[i + 1] & 4 ? 1 : 0}});
            i += 4;
        } else {
            step(&w, data[i]);
        }
    }
    return 0;
}
