/* Gives the portable backend other names, so that a test can hold both backends in one program. */
#define crypto_gcm_seal       portable_gcm_seal
#define crypto_gcm_open       portable_gcm_open
#define crypto_gcm_crypt      portable_gcm_crypt
#define crypto_gcm_key        portable_gcm_key
#define crypto_gcm_end        portable_gcm_end
#define crypto_gcm_seal_with  portable_gcm_seal_with
#define crypto_gcm_open_with  portable_gcm_open_with
#define crypto_gcm_crypt_with portable_gcm_crypt_with
#define crypto_gcm_begin      portable_gcm_begin
#define crypto_gcm_auth_part  portable_gcm_auth_part
#define crypto_gcm_seal_part  portable_gcm_seal_part
#define crypto_gcm_finish     portable_gcm_finish
#define crypto_digest         portable_digest
#define crypto_key_wrap       portable_key_wrap
#define crypto_key_unwrap     portable_key_unwrap
