// TLS for calls that leave the server: whom it trusts, and what is wrong with others. The one place that knows a TLS
// library, so that nothing else waits for it to be built (docs/decisions/010-tls-is-a-target-of-its-own.md).
import MartletCore
import MartletWire
import NIOCore
import NIOSSL
import Synchronization

/// Verifies certificates, always: by the authorities of the host, and by those of a file if there is one.
package final class CertificateTrust: TransportSecurity {
  private let authorities: String?
  /// Made when the first connection needs it, because the host's authorities take a while to read.
  private let context = Mutex<NIOSSLContext?>(nil)

  /// - Parameter authorities: a file of certificates (PEM) that are trusted besides the host's; nil = none.
  /// - Throws: a `Fault` that says what is wrong with the file.
  package init(authorities: String?) throws(Fault) {
    self.authorities = authorities
    if authorities != nil { _ = try shared() }
  }

  package func secure(_ channel: any Channel, host: String) throws {
    let context = try shared()
    // The name of a server is never an address; then the address itself is held against the certificate.
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    try channel.pipeline.syncOperations.addHandler(
      try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host))
  }

  package func words(_ error: any Error) -> String? {
    switch error {
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      return "the certificate of the server is for another name"
    case NIOSSLError.handshakeFailed(let reason):
      let text = "\(reason)"
      if text.contains("CERTIFICATE_VERIFY_FAILED") {
        return "the certificate of the server is not trusted: no authority of this host or of --ca-file has signed it, "
          + "or it has expired"
      }
      if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
        return "the server speaks no TLS on this port"
      }
      return "the TLS handshake failed (\(text))"
    case NIOSSLError.unableToValidateCertificate: return "the certificate of the server is not trusted"
    case NIOSSLError.uncleanShutdown: return "the connection was cut"
    case let error as NIOSSLError: return "TLS: \(error)"
    case let error as NIOSSLExtraError: return "TLS: \(error)"
    default: return nil
    }
  }

  private func shared() throws(Fault) -> NIOSSLContext {
    let authorities = authorities
    let made: Result<NIOSSLContext, Fault> = context.withLock { context in
      if let context { return .success(context) }
      return Result { () throws(Fault) in
        let made = try CertificateTrust.make(authorities)
        context = made
        return made
      }
    }
    return try made.get()
  }

  private static func make(_ authorities: String?) throws(Fault) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateVerification = .fullVerification
    configuration.trustRoots = .default
    if let authorities {
      guard let certificates = try? NIOSSLCertificate.fromPEMFile(authorities), !certificates.isEmpty else {
        throw Fault("--ca-file \(authorities)", "it cannot be read, or is no file of certificates in PEM")
      }
      configuration.additionalTrustRoots = [.certificates(certificates)]
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw Fault("TLS", "\(error)")
    }
  }
}
