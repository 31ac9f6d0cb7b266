/* Gives the portable backend other names, so that a test can hold both backends in one program. */
#define crypto_gcm_seal   portable_gcm_seal
#define crypto_gcm_open   portable_gcm_open
#define crypto_gcm_crypt  portable_gcm_crypt
#define crypto_key_wrap   portable_key_wrap
#define crypto_key_unwrap portable_key_unwrap
