#include "headend/api/api_origin.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 253 /* RFC 1035 2.3.4 */

/* Octets of the name at p, with its brackets where it is an IPv6 address; 0: there is none. */
static size_t name_at(const char *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    char v6[INET6_ADDRSTRLEN];
    uint8_t octets[16];
    if (p[0] != '[') {
        const size_t n = strspn(p, letters);
        return n <= NAME_MAX_LEN ? n : 0;
    }
    const size_t n = strcspn(p + 1, "]");
    if (p[1 + n] != ']' || n >= sizeof v6)
        return 0;
    memcpy(v6, p + 1, n);
    v6[n] = '\0';
    return inet_pton(AF_INET6, v6, octets) == 1 ? n + 2 : 0;
}

/* ":443" behind https is not written by browsers, nor ":80" behind http. False: no port. */
static bool take_port(char *p, bool tls)
{
    unsigned n = 0;
    const size_t digits = strspn(p + 1, "0123456789");
    if (p[0] == '\0')
        return true;
    if (p[0] != ':' || digits == 0 || digits > 5 || p[1 + digits] != '\0' || p[1] == '0')
        return false;
    for (size_t i = 1; i <= digits; i++)
        n = n * 10 + (unsigned)(p[i] - '0');
    if (n == (tls ? 443u : 80u))
        p[0] = '\0';
    return n <= 65535;
}

enum err api_origin_parse(const char *text, struct api_origin *o)
{
    memset(o, 0, sizeof *o);
    if (text == NULL)
        return ERR_OK;
    size_t n = strlen(text);
    if (n > 0 && text[n - 1] == '/')
        n--;
    if (n >= sizeof o->text)
        return ERR_FORMAT;
    for (size_t i = 0; i < n; i++)
        o->text[i] = (char)tolower((unsigned char)text[i]);
    o->tls = strncmp(o->text, "https://", 8) == 0;
    const size_t scheme = o->tls ? 8 : strncmp(o->text, "http://", 7) == 0 ? 7 : 0;
    o->name = o->text + scheme;
    o->name_len = scheme == 0 ? 0 : name_at(o->name);
    if (o->name_len > 0 && take_port(o->text + scheme + o->name_len, o->tls))
        return ERR_OK;
    memset(o, 0, sizeof *o);
    return ERR_FORMAT;
}

bool api_origin_names(const struct api_origin *o, const char *name, size_t n)
{
    return n > 0 && n == o->name_len && strncasecmp(o->name, name, n) == 0;
}
