// libcrypto, of which digests and HMAC are used (MartletWire/Signature/Digest.swift).
#include <openssl/evp.h>
#include <openssl/hmac.h>
