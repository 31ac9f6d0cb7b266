/* Two small pages in place of the real ones, so that the API is tested without Node.js. */
#include "headend/web/web_assets.h"

#define TEXT(t)                                                                                    \
    {                                                                                              \
        (const uint8_t *)(t), sizeof(t) - 1                                                        \
    }

const struct web_asset web_assets[] = {
    {.path = "/",
     .content_type = "text/html; charset=utf-8",
     .etag = "\"index-1\"",
     .gzip = TEXT("\x1F\x8Bindex"),
     .plain = TEXT("<!doctype html><title>Ferraris</title>")},
    {.path = "/app.0123abcd.js",
     .content_type = "text/javascript; charset=utf-8",
     .etag = "\"app-1\"",
     .immutable = true,
     .gzip = TEXT("\x1F\x8B"
                  "app"),
     .plain = TEXT("export {};")},
};
const size_t n_web_assets = sizeof web_assets / sizeof web_assets[0];
