// An RSA key with a certificate that it signed itself, by libcrypto: what notifications are signed with.
import CCrypto
import MartletCore

/// Never changed after it was made; libcrypto only counts its users, atomically.
package final class SigningKey: @unchecked Sendable {
  package enum Hash: Sendable {
    case sha1
    case sha256
  }

  private let key: OpaquePointer
  /// The private key and the certificate, as PEM.
  package let privateText: String
  package let certificate: String

  private static let bits: Int32 = 2048
  /// Seconds for which the certificate holds: thirty years.
  private static let validity: Int64 = 946_080_000

  /// Makes a key. Takes a tenth of a second.
  /// - Parameters:
  ///   - name: whom the certificate names.
  ///   - now: seconds since 1970.
  package convenience init(name: String, now: Int64, world: any World) throws(Fault) {
    let context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil)
    defer { EVP_PKEY_CTX_free(context) }
    var made: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) > 0, EVP_PKEY_CTX_set_rsa_keygen_bits(context, SigningKey.bits) > 0,
      EVP_PKEY_keygen(context, &made) > 0, let key = made
    else { throw Fault("make a signing key", "libcrypto refuses") }
    defer { EVP_PKEY_free(key) }
    let certificate = try SigningKey.certificate(of: key, name: name, now: now, serial: world.random() >> 2)
    let text = try SigningKey.text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    try self.init(privateText: text, certificate: certificate)
  }

  /// - Throws: a `Fault` if the text is no private key.
  package init(privateText: String, certificate: String) throws(Fault) {
    // The bytes must stay where they are for as long as they are read.
    let read = Array(privateText.utf8).withUnsafeBytes { bytes -> OpaquePointer? in
      let source = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
      defer { BIO_free(source) }
      return PEM_read_bio_PrivateKey(source, nil, nil, nil)
    }
    guard let key = read else { throw Fault("read a signing key", "it is damaged") }
    self.key = key
    self.privateText = privateText
    self.certificate = certificate
  }

  deinit { EVP_PKEY_free(key) }

  private static func certificate(
    of key: OpaquePointer, name: String, now: Int64, serial: UInt64
  ) throws(Fault) -> String {
    let certificate = X509_new()
    defer { X509_free(certificate) }
    let subject = X509_get_subject_name(certificate)
    let day: Int64 = 86_400
    guard X509_set_version(certificate, 2) > 0,
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) > 0,
      ASN1_TIME_set(X509_getm_notBefore(certificate), Int(now - day)) != nil,
      ASN1_TIME_set(X509_getm_notAfter(certificate), Int(now + validity)) != nil,
      X509_set_pubkey(certificate, key) > 0,
      // MBSTRING_UTF8
      X509_NAME_add_entry_by_txt(subject, "CN", 0x1000, name, -1, -1, 0) > 0,
      X509_set_issuer_name(certificate, subject) > 0, X509_sign(certificate, key, EVP_sha256()) > 0
    else { throw Fault("make a certificate", "libcrypto refuses") }
    return try text { PEM_write_bio_X509($0, certificate) }
  }

  /// What `write` writes.
  private static func text(_ write: (OpaquePointer?) -> Int32) throws(Fault) -> String {
    let sink = BIO_new(BIO_s_mem())
    defer { BIO_free(sink) }
    guard write(sink) > 0 else { throw Fault("write a signing key", "libcrypto refuses") }
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(sink))
    let count = BIO_read(sink, &bytes, Int32(bytes.count))
    guard count == bytes.count else { throw Fault("write a signing key", "libcrypto refuses") }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The signature of a text (RSASSA-PKCS1-v1_5). Takes about a millisecond.
  package func sign(_ text: String, _ hash: Hash) throws(Fault) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    let message = Array(text.utf8)
    var signature = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(key)))
    var count = signature.count
    guard EVP_DigestSignInit(context, nil, hash == .sha1 ? EVP_sha1() : EVP_sha256(), nil, key) > 0,
      EVP_DigestSign(context, &signature, &count, message, message.count) > 0
    else { throw Fault("sign a notification", "libcrypto refuses") }
    return Array(signature.prefix(count))
  }
}
