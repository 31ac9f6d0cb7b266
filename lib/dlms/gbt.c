/* General block transfer; see gbt.h for what it does and refuses.
 *
 * Facts of a sender between calls: acked <= made; blocks 1 .. empty had no data and are made again
 * from nothing; of the others, those above acked lie in the store, block n in slot n % slots (of an
 * APDU that is there as a whole: where it belongs), each of block_size octets but the last; stop is
 * at most slots above the larger of acked and empty, unless unconfirmed: so a block is made only
 * where its slot is free. */
#include "lib/dlms/gbt.h"

#include "lib/wire/dlms.h"

#include <string.h>

void gbt_get(struct rd *r, struct gbt_block *out)
{
    memset(out, 0, sizeof *out);
    if (rd_u8(r) != DLMS_GENERAL_BLOCK)
        rd_fail(r, ERR_FORMAT);
    const uint8_t control = rd_u8(r);
    out->last = (control & GBT_LAST) != 0;
    out->streaming = (control & GBT_STREAMING) != 0;
    out->window = control & GBT_WINDOW;
    out->number = rd_u16(r);
    out->ack = rd_u16(r);
    out->data = rd_bytes(r, rd_length(r));
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

void gbt_put(struct wr *w, const struct gbt_block *b)
{
    wr_u8(w, DLMS_GENERAL_BLOCK);
    wr_u8(w, (uint8_t)((b->last ? GBT_LAST : 0) | (b->streaming ? GBT_STREAMING : 0) |
                       (b->window & GBT_WINDOW)));
    wr_u16(w, b->number);
    wr_u16(w, b->ack);
    wr_length(w, b->data.len);
    wr_bytes(w, b->data.p, b->data.len);
}

/* ---- sender ---- */

static bool has_apdu(const struct gbt_sender *s)
{
    return s->fill || s->store_size > 0;
}

/* Blocks that can be kept: all of an APDU that is there as a whole. */
static size_t slots(const struct gbt_sender *s)
{
    return s->fill ? s->store_size / s->block_size : UINT16_MAX;
}

/* Blocks up to the end of a window that follows block `after`. */
static void open_window(struct gbt_sender *s, uint16_t after)
{
    if (s->window == 0)
        s->stop = UINT32_MAX;
    else if (!has_apdu(s))
        s->stop = after;
    else
        s->stop = after + (uint32_t)(slots(s) < s->window ? slots(s) : s->window);
}

enum err gbt_sender_init(struct gbt_sender *s, uint8_t window)
{
    if (window > GBT_WINDOW_MAX || (has_apdu(s) && (s->block_size == 0 || slots(s) == 0)))
        return ERR_RANGE;
    s->err = ERR_OK;
    s->window = window;
    s->spoken = false;
    s->told = s->empty = s->acked = s->made = s->last = s->last_len = 0;
    s->next = 1;
    open_window(s, 0);
    return ERR_OK;
}

static uint8_t *slot_of(const struct gbt_sender *s, uint32_t number)
{
    const size_t slot = s->fill ? number % slots(s) : number - s->empty - 1;
    return s->store + slot * s->block_size;
}

/* Fills a slot, or as much of it as there is. */
static size_t fill_slot(struct gbt_sender *s, uint8_t *to, bool *end)
{
    size_t len = 0;
    while (!s->err && !*end && len < s->block_size) {
        size_t n = 0;
        s->err = s->fill(s->context, to + len, s->block_size - len, &n, end);
        len += n;
        if (!s->err && n == 0 && !*end)
            s->err = ERR_STATE; /* neither octets nor an end: nothing would ever come */
    }
    return len;
}

static size_t find_slot(const struct gbt_sender *s, const uint8_t *at, bool *end)
{
    const size_t left = s->store_size - (size_t)(at - s->store);
    *end = left <= s->block_size;
    return *end ? left : s->block_size;
}

/* Generates block made + 1 into its slot. False: aborted. */
static bool make(struct gbt_sender *s)
{
    uint8_t *to = slot_of(s, s->made + 1u);
    bool end = false;
    if (s->made == UINT16_MAX)
        s->err = ERR_RANGE;
    if (s->err)
        return false;
    const size_t len = s->fill ? fill_slot(s, to, &end) : find_slot(s, to, &end);
    if (s->err)
        return false;
    s->made++;
    if (end) {
        s->last = s->made;
        s->last_len = (uint16_t)len;
    }
    return true;
}

static struct bytes data_of(const struct gbt_sender *s, uint32_t number)
{
    if (number <= s->empty)
        return (struct bytes){0};
    return (struct bytes){slot_of(s, number), number == s->last ? s->last_len : s->block_size};
}

bool gbt_sender_next(struct gbt_sender *s, uint16_t own_ack, uint8_t own_window,
                     struct gbt_block *out)
{
    if (s->err || !has_apdu(s) || s->next > s->stop || (s->last != 0 && s->next > s->last))
        return false;
    if (s->next > s->made && !make(s))
        return false;
    const uint32_t n = s->next++;
    const bool last = n == s->last;
    *out = (struct gbt_block){.last = last,
                              .streaming = s->window == 0 || (!last && n < s->stop),
                              .window = own_window,
                              .number = (uint16_t)n,
                              .ack = own_ack,
                              .data = data_of(s, n)};
    return true;
}

/* The same word again keeps its number: the other side may have it and wait for the next one. */
void gbt_sender_answer(struct gbt_sender *s, uint16_t own_ack, uint8_t own_window,
                       struct gbt_block *out)
{
    const bool before_data = s->made == s->empty;
    if ((!s->spoken || s->told != own_ack) && s->made < UINT16_MAX)
        s->made++;
    s->spoken = true;
    s->told = own_ack;
    if (before_data) {
        s->empty = s->made;
        s->next = s->made + 1u;
        open_window(s, s->made);
    }
    *out = (struct gbt_block){
        .last = !has_apdu(s) || s->last != 0,
        .window = own_window,
        .number = s->made,
        .ack = own_ack,
    };
}

enum err gbt_sender_ack(struct gbt_sender *s, uint16_t ack, uint8_t window)
{
    if (ack > s->made)
        return ERR_RANGE;
    if (s->window != 0 && window != 0)
        s->window = window & GBT_WINDOW;
    if (s->made == s->empty) {
        open_window(s, s->made);
        return ERR_OK;
    }
    if (ack < s->acked) /* overtaken by a later word */
        return ERR_OK;
    s->acked = ack;
    gbt_sender_again(s);
    return ERR_OK;
}

void gbt_sender_again(struct gbt_sender *s)
{
    if (s->made == s->empty || s->window == 0) /* unconfirmed: nothing is kept for it */
        return;
    s->next = s->acked + 1u;
    open_window(s, s->acked);
}

bool gbt_sender_done(const struct gbt_sender *s)
{
    return s->last != 0 && s->acked >= s->last;
}

/* ---- receiver ---- */

void gbt_receiver_init(struct gbt_receiver *r)
{
    memset(r, 0, sizeof *r);
}

enum err gbt_receiver_block(struct gbt_receiver *r, const struct gbt_block *b, struct bytes *data)
{
    *data = (struct bytes){0};
    r->answer = r->doubled = false;
    if (!r->begun && b->data.len == 0) {
        if (b->number > r->acked) /* all before it were words alone, too */
            r->acked = b->number;
        return ERR_OK;
    }
    if (b->number == 0)
        return b->data.len > 0 ? ERR_FORMAT : ERR_OK;
    if (!r->begun && b->number == 1)
        r->acked = 0;
    r->answer = !b->streaming;
    r->doubled = r->done || b->number <= r->acked;
    if (r->doubled || b->number != r->acked + 1u)
        return ERR_OK;
    r->acked = b->number;
    r->begun = true;
    r->done = b->last;
    *data = b->data;
    return ERR_OK;
}
