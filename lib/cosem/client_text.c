/* What went wrong in a session, as one sentence for a person: phase, reason, what to do about it.
 */
#include "lib/cosem/client.h"

#include <string.h>

static const char *const phase_text[CLIENT_N_STATES] = {
    [CLIENT_CLOSED] = "before the association",
    [CLIENT_OPENING] = "connection",
    [CLIENT_ASSOCIATING] = "association",
    [CLIENT_AUTHENTICATING] = "authentication",
    [CLIENT_READY] = "idle",
    [CLIENT_GETTING] = "reading",
    [CLIENT_SETTING] = "writing",
    [CLIENT_ACTING] = "method call",
    [CLIENT_ACCESSING] = "access",
    [CLIENT_RELEASING] = "release",
    [CLIENT_CLOSING] = "disconnection",
    [CLIENT_FAILED] = "after a failure",
};

static const char *const why_text[] = {
    [CLIENT_WHY_NONE] = "no failure",
    [CLIENT_WHY_LOCAL] = "not sent: ",
    [CLIENT_WHY_TIMEOUT] = "the meter did not answer in time",
    [CLIENT_WHY_CLOSED] = "the meter closed the connection before it answered",
    [CLIENT_WHY_FRAME] = "the answer is not a wrapper frame for this client",
    [CLIENT_WHY_APDU] = "the answer is malformed at octet ",
    [CLIENT_WHY_UNEXPECTED] = "unexpected APDU with tag ",
    [CLIENT_WHY_REFUSED] = "the meter refused: ",
    [CLIENT_WHY_INITIATE] = "the meter refused the xDLMS context, reason ",
    [CLIENT_WHY_NO_TITLE] = "the meter sent no usable system title or challenge",
    [CLIENT_WHY_EXCEPTION] = "the meter answered with an exception: ",
    [CLIENT_WHY_DECIPHER] = "the answer cannot be deciphered: ",
    [CLIENT_WHY_WEAK] = "the answer is less protected than the request, security control ",
    [CLIENT_WHY_COUNTER] = "the meter's invocation counter went back, to ",
    [CLIENT_WHY_HLS] = "the meter did not accept our proof or did not prove that it knows the keys",
    [CLIENT_WHY_BLOCK] = "block out of order or empty, number ",
    [CLIENT_WHY_VALUE] = "the value is malformed or incomplete: ",
    [CLIENT_WHY_SINK] = "the receiver of the value has no more room",
    [CLIENT_WHY_LINK] = "the link failed: ",
    [CLIENT_WHY_NO_LIST] = "the meter answered the list with a single result: ",
    [CLIENT_WHY_LONG] = "the answer is longer than what takes its blocks",
};

static void put_text(struct wr *w, const char *text)
{
    wr_bytes(w, text, strlen(text));
}

static void put_number(struct wr *w, uint32_t n)
{
    char digits[10];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    wr_bytes(w, digits + at, sizeof digits - at);
}

static void put_exception(struct wr *w, const struct cosem_client_failure *f)
{
    put_text(w, apdu_exception_text((uint8_t)f->detail));
    if (f->detail == DLMS_EXC_COUNTER_ERROR) {
        put_text(w, "; the meter expects at least ");
        put_number(w, f->counter);
    }
    if (f->detail == DLMS_EXC_DECIPHERING_ERROR)
        put_text(w, " (wrong key, or an invocation counter below the last one)");
}

static void put_detail(struct wr *w, const struct cosem_client *c)
{
    const struct cosem_client_failure *f = &c->failure;
    switch (f->why) {
    case CLIENT_WHY_APDU:
    case CLIENT_WHY_UNEXPECTED:
    case CLIENT_WHY_INITIATE:
    case CLIENT_WHY_WEAK:
    case CLIENT_WHY_COUNTER:
    case CLIENT_WHY_BLOCK:
        put_number(w, f->detail);
        break;
    case CLIENT_WHY_REFUSED:
        put_text(w, acse_diagnostic_text(f->source, (uint8_t)f->detail));
        break;
    case CLIENT_WHY_EXCEPTION:
        put_exception(w, f);
        break;
    case CLIENT_WHY_LINK:
        put_text(w, dlms_link_why(c->link));
        break;
    case CLIENT_WHY_NO_LIST:
        put_text(w, cosem_result_text((enum cosem_result)f->detail));
        break;
    case CLIENT_WHY_LOCAL:
    case CLIENT_WHY_DECIPHER:
    case CLIENT_WHY_VALUE:
        put_text(w, err_text(f->err));
        break;
    default:
        break;
    }
}

size_t cosem_client_explain(const struct cosem_client *c, char *out, size_t size)
{
    const struct cosem_client_failure *f = &c->failure;
    if (size == 0)
        return 0;
    struct wr w = wr_of(out, size - 1);
    if (f->err) {
        put_text(&w, phase_text[f->during]);
        put_text(&w, ": ");
        put_text(&w, why_text[f->why]);
        put_detail(&w, c);
    }
    out[w.len] = '\0';
    return w.len;
}
