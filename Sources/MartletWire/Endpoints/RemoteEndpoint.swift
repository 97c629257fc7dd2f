// A service that somebody else runs: real AWS, or a program that speaks its protocol. See docs/remote-endpoints.md.
import MartletCore

package struct RemoteEndpoint: Sendable, Equatable {
  /// The signing name, such as `s3`.
  package let service: String
  package let address: HTTPAddress
  /// nil = requests are not signed.
  package let keys: AccessKeys?
  /// The region to sign for; nil = the caller's.
  package let region: String?

  package init(service: String, address: HTTPAddress, keys: AccessKeys? = nil, region: String? = nil) {
    self.service = service
    self.address = address
    self.keys = keys
    self.region = region
  }

  /// Services whose calls can leave the server.
  package static let services = ["s3", "sns", "sqs"]

  /// The environment variable that names the endpoint of a service, and begins the names of its other settings.
  package static func variable(_ service: String) -> String { "MARTLET_ENDPOINT_\(service.uppercased())" }

  /// Reads the endpoints of all services. A flag wins over a variable.
  /// - Parameters:
  ///   - flags: `SERVICE=URL`, as given with `--endpoint`.
  ///   - variables: of the process.
  /// - Throws: a `Fault` that names the flag or the variable and says what is wrong with it.
  package static func all(flags: [String], variables: [String: String]) throws(Fault) -> [RemoteEndpoint] {
    var addresses: [String: String] = [:]
    for service in services {
      if let text = variables[variable(service)], !text.isEmpty { addresses[service] = text }
    }
    for flag in flags {
      let parts = flag.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw Fault("--endpoint", "\(flag) is not of the form SERVICE=URL") }
      guard services.contains(parts[0]) else {
        throw Fault("--endpoint", "\(parts[0]) cannot be remote; these can: \(services.joined(separator: ", "))")
      }
      addresses[parts[0]] = parts[1]
    }
    var endpoints: [RemoteEndpoint] = []
    for service in services {
      guard let text = addresses[service] else { continue }
      guard let address = HTTPAddress(text) else {
        throw Fault(
          "--endpoint \(service) (\(variable(service)))",
          "\(text) is not of the form http://HOST:PORT or https://HOST:PORT")
      }
      let region = variables["\(variable(service))_REGION"].flatMap { $0.isEmpty ? nil : $0 }
      endpoints.append(
        RemoteEndpoint(service: service, address: address, keys: try keys(service, variables), region: region))
    }
    return endpoints
  }

  /// The service's own keys, else those of the AWS command line. Keys are never mixed of both.
  private static func keys(_ service: String, _ variables: [String: String]) throws(Fault) -> AccessKeys? {
    for prefix in ["\(variable(service))_", "AWS_"] {
      func value(_ name: String) -> String? { variables[prefix + name].flatMap { $0.isEmpty ? nil : $0 } }
      switch (value("ACCESS_KEY_ID"), value("SECRET_ACCESS_KEY")) {
      case (let id?, let secret?): return AccessKeys(id: id, secret: secret, sessionToken: value("SESSION_TOKEN"))
      case (nil, nil): continue
      default:
        throw Fault("keys for \(service)", "only one of \(prefix)ACCESS_KEY_ID and \(prefix)SECRET_ACCESS_KEY is set")
      }
    }
    return nil
  }
}
