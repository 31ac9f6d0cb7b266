/* The pages, compiled in: what esbuild made of headend/web, gzipped. Generated at build time. */
#ifndef FERRARIS_HEADEND_WEB_ASSETS_H
#define FERRARIS_HEADEND_WEB_ASSETS_H

#include "lib/base/cursor.h"

#include <stdbool.h>
#include <stddef.h>

struct web_asset {
    const char *path; /* "/", "/app.3f2a91c0.js" */
    const char *content_type;
    const char *etag;         /* quoted */
    bool immutable;           /* the name holds a hash: may be kept for ever */
    struct bytes gzip, plain; /* plain for clients that do not take gzip */
};
extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

#endif
