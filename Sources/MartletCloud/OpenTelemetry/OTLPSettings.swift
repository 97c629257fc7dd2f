// Where traces, metrics and logs are exported to, and how: by flags and OpenTelemetry's own variables.
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and .../configuration/sdk-environment-variables/
import MartletCore
import MartletWire

package enum TelemetrySignal: String, Sendable, CaseIterable { case traces, metrics, logs }

package struct OTLPSettings: Sendable, Equatable {
  package struct Pair: Sendable, Equatable {
    package let name: String
    package let value: String
  }

  /// Where one signal goes.
  package struct Target: Sendable, Equatable {
    package let address: HTTPAddress
    package let path: String
    /// In the order in which they were given; a later one of the same name wins.
    package let headers: [Pair]
    /// For one attempt.
    package let timeout: Duration
    /// How long what comes in waits for more; of metrics, from one report to the next.
    package let interval: Duration
  }

  package private(set) var targets: [TelemetrySignal: Target] = [:]
  /// Of what belongs to no function.
  package private(set) var serviceName = "martlet"
  /// Added to every resource.
  package private(set) var attributes: [Pair] = []
  /// Sums and histograms tell what has come since the last report, not since the beginning.
  package private(set) var isDelta = false
  /// What was asked for and is not done, though it does no harm.
  package private(set) var unknown: String?
  /// A file of certificates that is trusted besides the host's.
  package private(set) var authorities: String?

  /// - Parameters:
  ///   - endpoint: of all signals, from a flag; it wins over the variables.
  ///   - headers: `NAME=VALUE`, from flags; for all signals.
  /// - Returns: nil if nothing is to be exported.
  /// - Throws: a `Fault` that says what cannot be done.
  package init?(endpoint: String?, headers: [String], variables: [String: String]) throws(Fault) {
    func variable(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
    if variable("OTEL_SDK_DISABLED")?.lowercased() == "true", endpoint == nil { return nil }
    for signal in TelemetrySignal.allCases {
      let upper = signal.rawValue.uppercased()
      func specific(_ name: String) -> String? {
        variable("OTEL_EXPORTER_OTLP_\(upper)_\(name)") ?? variable("OTEL_EXPORTER_OTLP_\(name)")
      }
      let exporter = variable("OTEL_\(upper)_EXPORTER") ?? "otlp"
      guard exporter == "otlp" || exporter == "none" else {
        throw Fault("OTEL_\(upper)_EXPORTER", "\(exporter) is not one of otlp, none")
      }
      let own = endpoint == nil ? variable("OTEL_EXPORTER_OTLP_\(upper)_ENDPOINT") : nil
      guard exporter == "otlp", let url = own ?? endpoint ?? variable("OTEL_EXPORTER_OTLP_ENDPOINT") else { continue }
      if let other = specific("PROTOCOL"), other != "http/protobuf" {
        throw Fault("OTEL_EXPORTER_OTLP_PROTOCOL", "\(other) is not spoken, only http/protobuf")
      }
      // Every collector takes what is not packed.
      if let packing = specific("COMPRESSION"), packing != "none" { unknown = "compression \(packing)" }
      let (address, path) = try OTLPSettings.place(url)
      var all: [Pair] = []
      for pair in (specific("HEADERS") ?? "").split(separator: ",") { all.append(try OTLPSettings.header(pair)) }
      for pair in headers { all.append(try OTLPSettings.header(Substring(pair))) }
      let delay: (name: String, usual: Int) =
        switch signal {
        case .traces: ("OTEL_BSP_SCHEDULE_DELAY", 5000)
        case .logs: ("OTEL_BLRP_SCHEDULE_DELAY", 1000)
        case .metrics: ("OTEL_METRIC_EXPORT_INTERVAL", 60_000)
        }
      targets[signal] = Target(
        address: address,
        // The endpoint of one signal is the whole URL; that of all of them is what the signal's path is added to.
        path: own != nil ? (path.isEmpty ? "/" : path) : (path.last == "/" ? path : path + "/") + "v1/\(signal)",
        headers: all,
        timeout: try OTLPSettings.milliseconds(specific("TIMEOUT"), "OTEL_EXPORTER_OTLP_TIMEOUT") ?? .seconds(10),
        interval: try OTLPSettings.milliseconds(variable(delay.name), delay.name) ?? .milliseconds(delay.usual))
    }
    guard !targets.isEmpty else { return nil }
    authorities = variable("OTEL_EXPORTER_OTLP_CERTIFICATE")
    for pair in (variable("OTEL_RESOURCE_ATTRIBUTES") ?? "").split(separator: ",") {
      let member = try OTLPSettings.pair(pair, "OTEL_RESOURCE_ATTRIBUTES")
      if member.name == "service.name" { serviceName = member.value } else { attributes.append(member) }
    }
    serviceName = variable("OTEL_SERVICE_NAME") ?? serviceName
    switch (variable("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE") ?? "cumulative").lowercased() {
    case "cumulative": isDelta = false
    // "lowmemory" is delta wherever nothing is summed up from callbacks.
    case "delta", "lowmemory": isDelta = true
    case let other:
      throw Fault(
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "\(other) is not one of cumulative, delta, lowmemory")
    }
  }

  /// `https://host:4318/some/path`
  private static func place(_ url: String) throws(Fault) -> (HTTPAddress, path: String) {
    let flaw = Fault("the OTLP endpoint", "\(url) is not of the form http://HOST:PORT or https://HOST:PORT/PATH")
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[1].isEmpty, let address = HTTPAddress("\(parts[0])//\(parts[2])") else { throw flaw }
    let path = parts.count == 4 ? "/\(parts[3])" : ""
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }) else { throw flaw }
    return (address, path == "/" ? "" : path)
  }

  private static func header(_ text: Substring) throws(Fault) -> Pair {
    let member = try pair(text, "the OTLP headers")
    let isName = member.name.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "!#$%&'*+-.^_`|~".utf8.contains($0)
    }
    guard isName, member.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw Fault("the OTLP headers", "\(member.name) is no header")
    }
    return member
  }

  /// `name=value`, the value with percent encoding.
  private static func pair(_ text: Substring, _ what: String) throws(Fault) -> Pair {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts[0].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
    guard parts.count == 2, !name.isEmpty else {
      // Values may be keys: they are not shown.
      throw Fault(what, "they are not of the form NAME=VALUE,NAME=VALUE")
    }
    let value = parts[1].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
    return Pair(name: String(name), value: Percent.decode(Substring(String(value)), plus: false))
  }

  private static func milliseconds(_ text: String?, _ name: String) throws(Fault) -> Duration? {
    guard let text else { return nil }
    guard let number = Int(text), (1...86_400_000).contains(number) else {
      throw Fault(name, "\(text) is not a number of milliseconds")
    }
    return .milliseconds(number)
  }
}
